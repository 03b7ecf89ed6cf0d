/** The machines that are tried: a server that asks for passwords, one that does not, and a phone with two accounts. */
import assert from "node:assert/strict";
import { silence } from "../../src/core/media/tones.ts";
import { PhoneMachine } from "../../src/core/phone/phone-machine.ts";
import { readConfiguration } from "../../src/core/provisioning/read.ts";
import { DEFAULT_REGISTRAR_LIMITS } from "../../src/core/server/registration.ts";
import { SipServer } from "../../src/core/server/server.ts";
import { readUsers } from "../../src/core/server/users-file.ts";
import { purePrimitives } from "../../src/worlds/sim/pure-primitives.ts";
import { Prng } from "../support/prng.ts";
import { MachineTrial } from "./machine-trial.ts";

export type SubjectName = "guarded server" | "open server" | "phone";

const METHODS =
  "REGISTER INVITE ACK CANCEL BYE OPTIONS MESSAGE SUBSCRIBE NOTIFY PUBLISH REFER PRACK UPDATE INFO";

const SDP = [
  "v=0",
  "o=- 1 1 IN IP4 192.0.2.44",
  "s=-",
  "c=IN IP4 192.0.2.44",
  "t=0 0",
  "m=audio 20000 RTP/AVP 0 8 101",
  "a=rtpmap:101 telephone-event/8000",
  "",
].join("\r\n");

/** One of each method for `user`, with and without a dialog. */
function requestsFor(user: string, domain: string): string[] {
  return METHODS.split(" ").flatMap((method) =>
    ["", ";tag=dialog"].map((tag) => {
      const body = method === "INVITE" || method === "UPDATE" ? SDP : "";
      const uri = method === "REGISTER" ? `sip:${domain}` : `sip:${user}@${domain}`;
      const lines = [
        `${method} ${uri} SIP/2.0`,
        "Via: SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bKBRANCH;rport;oc;keep",
        "Max-Forwards: 70",
        "From: <sip:alice@example.com>;tag=BRANCH",
        `To: <sip:${user}@${domain}>${tag}`,
        "Call-ID: BRANCH@fuzz",
        `CSeq: 1 ${method}`,
        'Contact: <sip:alice@198.51.100.7:5060;ob>;+sip.instance="<urn:uuid:1>";reg-id=1;expires=600',
        "Supported: path, outbound, gruu, 100rel, timer, replaces",
        "Event: reg",
        "RAck: 1 1 INVITE",
        "Session-Expires: 1800;refresher=uac",
        "Refer-To: <sip:bob@example.com>",
        'Authorization: Digest username="alice", realm="example.com", nonce="x", uri="sip:example.com", response="y"',
        body === "" ? "Accept: */*" : "Content-Type: application/sdp",
        `Content-Length: ${body.length}`,
      ];
      return `${lines.join("\r\n")}\r\n\r\n${body}`;
    }),
  );
}

const AT_SERVER = ["alice", "bob"].flatMap((user) => requestsFor(user, "example.com"));
const AT_PHONE = requestsFor("2001", "192.0.2.1");

const PHONE_FILE = `
every-server: { expires: 60 s, register-retries: 1, invite-retries: 1 }
accounts:
  - user: "2001"
    password: 5ecret-pa55word
    domain: pbx.lab
    registration: concurrent
    servers:
      - { address: 192.0.2.13, port: 5060, transport: udp }
      - { address: 192.0.2.14, port: 5060, transport: tcp }
  - user: "2002"
    password: 5ecret-pa55word
    domain: pbx.lab
    registration: successive
    servers:
      - { address: 192.0.2.13, port: 5061, transport: tls }
`;

/**
 * Tries a machine from birth to death with `steps` happenings of one seed.
 * @returns bytes heard and said.
 * @throws whatever the machine throws, or AssertionError if it keeps what nobody needs.
 */
export function tryMachine(name: SubjectName, seed: number, steps: number): [number, number] {
  return name === "phone" ? tryPhone(seed, steps) : tryServer(name, seed, steps);
}

function tryServer(
  name: "guarded server" | "open server",
  seed: number,
  steps: number,
): [number, number] {
  const users = readUsers({
    name: "users.yaml",
    text: "alice: 5ecret-pa55word\nbob: 5ecret-pa55word\n",
  }).users;
  const shared = seed % 3 === 0;
  const listen = (["udp", "tcp", "tls", "ws"] as const).map((transport, index) => ({
    transport,
    address: "192.0.2.1",
    port: 5060 + index,
  }));
  const server = new SipServer(
    {
      name: "one",
      domains: ["example.com"],
      listen,
      advertise: undefined,
      role: seed % 5 === 0 ? "fallback" : "working",
      users: name === "open server" ? undefined : users,
      acceptForeign: seed % 2 === 0,
      limits: DEFAULT_REGISTRAR_LIMITS,
      serviceRoute: "",
      shared,
      epochOffset: 1_767_225_600_000,
      tracing: false,
    },
    purePrimitives(seed, 1),
  );
  const trial = new MachineTrial(server, new Prng(seed));
  trial.run((now) => server.start(now));
  // It waits for a store that is not there at first.
  while (server.state !== "running") trial.pass(1_000);
  for (let step = 0; step < steps; step += 1) trial.step(AT_SERVER);
  trial.settle();
  // One of several goes on telling the others that it lives.
  assert.ok(trial.quiet || shared, "a server that nobody uses any more still waits for something");
  trial.run((now) => server.stop(now));
  trial.pass(60_000);
  assert.equal(server.state, "stopped");
  return [trial.heard, trial.said];
}

function tryPhone(seed: number, steps: number): [number, number] {
  const { accounts, faults } = readConfiguration([{ name: "phone.yaml", text: PHONE_FILE }]);
  assert.deepEqual(
    faults.filter(({ severity }) => severity === "error"),
    [],
  );
  const machine = new PhoneMachine(purePrimitives(seed, 2));
  const phone = machine.add({
    accounts,
    bindAddress: "192.0.2.1",
    localPort: 5060,
    answer: "auto",
    recordedSamples: 0,
    audioSource: silence,
    userAgent: "Dialtone",
    instance: "urn:uuid:00000000-0000-4000-8000-000000000000",
    supported: ["udp", "tcp", "tls"],
    rule: (_account, path, value) => `${path}=${String(value)}`,
  });
  const prng = new Prng(seed);
  const trial = new MachineTrial(machine, prng);
  trial.run(() => phone.start());
  for (let step = 0; step < steps; step += 1) {
    trial.step(AT_PHONE);
    if (prng.below(50) === 0) trial.run(() => phone.call("sip:bob@pbx.lab"));
    if (prng.below(50) === 0) trial.run((now) => phone.hangup(now));
  }
  trial.run((now) => phone.stop(now));
  trial.pass(600_000);
  trial.run(() => phone.close());
  trial.settle();
  assert.equal(machine.holdings, 0, "a phone that is closed still holds something");
  return [trial.heard, trial.said];
}
