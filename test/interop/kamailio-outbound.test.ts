/**
 * Our phone with two outbound proxies, both Kamailio 5.6 with `outbound` and `path`, in front of a third that is the
 * registrar: two flows over TCP, one phone (RFC 5626, RFC 3327).
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { Capture } from "../support/capture.ts";
import { KamailioProcess } from "../support/kamailio-process.ts";
import { needs } from "../support/peers.ts";
import { Household, type Running, reached } from "../support/processes.ts";
import { Dialtone } from "../support/processes-dialtone.ts";

const DOMAIN = "pbx.example.com";

/** A proxy or registrar, and what it is told to do. */
class Peer {
  readonly address: string;
  readonly #server: KamailioProcess;
  readonly #route: string;
  readonly #tcp: boolean;

  constructor(household: Household, name: string, last: number, tcp: boolean, route: string) {
    this.#server = new KamailioProcess(household, name);
    this.#route = route;
    this.#tcp = tcp;
    this.address = household.address(last);
  }

  get process(): Running {
    return this.#server.process;
  }

  async start(): Promise<void> {
    const text = `${common(this.#server.socket, this.#tcp)}${this.#route}`;
    const transports = this.#tcp ? ["udp", "tcp"] : ["udp"];
    await this.#server.start({
      files: { "kamailio.cfg": text },
      listen: transports.map((transport) => `${transport}:${this.address}:5060`),
    });
  }

  async ask(...command: string[]): Promise<string | undefined> {
    return await this.#server.ask(...command);
  }
}

describe("two outbound edges and a registrar of Kamailio", needs("kamailio", "tshark"), () => {
  let household: Household;
  let capture: Capture;
  let registrar: Peer;
  let first: Peer;
  let second: Peer;
  let phone: Dialtone;
  let caller: Dialtone;
  /** Registered over UDP, with outbound and STUN. */
  let datagrams: Dialtone;

  const targetOf = (peer: Peer): string => `tcp:${peer.address}:5060`;

  before(async () => {
    household = await Household.open(47);
    capture = await Capture.start(household);
    registrar = new Peer(household, "registrar", 13, false, REGISTRAR);
    first = new Peer(household, "first", 21, true, edge(registrar.address));
    second = new Peer(household, "second", 22, true, edge(registrar.address));
    await Promise.all([registrar.start(), first.start(), second.start()]);
    phone = startPhone("phone", "2001", 31, [
      "    outbound: streams",
      "    proxies:",
      ...[first, second].map(
        ({ address }) =>
          `      - { address: ${address}, port: 5060, transport: tcp, register-retries: 1 }`,
      ),
    ]);
    caller = startPhone("caller", "2002", 32, []);
    datagrams = startPhone("datagrams", "2003", 33, ["    outbound: always"]);
    await phone.event("flow.registered");
    await caller.event("registration.accepted");
    await datagrams.event("registration.accepted");
  });

  after(async () => await household?.close());

  const startPhone = (name: string, user: string, last: number, more: string[]): Dialtone => {
    const file = household.path(`${name}.yaml`);
    const lines = [
      "every-account:",
      "  { keep-alive: 1 s, register-backoff-base: 500 ms, register-backoff-max: 500 ms,",
      "    proxy-probe-interval: 10 s }",
      "accounts:",
      `  - user: "${user}"`,
      `    domain: ${DOMAIN}`,
      "    password: none",
      "    servers:",
      `      - { address: ${registrar.address}, port: 5060, transport: udp }`,
      ...more,
    ];
    writeFileSync(file, lines.join("\n"));
    return new Dialtone(household, name, [
      ...["phone", "--config", file, "--bind", household.address(last)],
    ]);
  };

  /** What the registrar holds: `reg-id edge`, sorted. */
  const held = async (): Promise<string[]> => {
    const dump = (await registrar.ask("ul.dump")) ?? "";
    const record = dump.split(/^\s*AoR: /m).find((part) => part.startsWith("2001")) ?? "";
    return record
      .split(/Contact: \{/)
      .slice(1)
      .filter((contact) => Number(/Expires: (-?\d+)/.exec(contact)?.[1]) > 0)
      .map((contact) => {
        const edgeAddress = /Path: <sip:[^@]+@([\d.]+)/.exec(contact)?.[1];
        return `${/Reg-Id: (\d+)/.exec(contact)?.[1]} ${edgeAddress}`;
      })
      .sort();
  };

  /** The other phone calls ours; resolves with the edge that the INVITE came through. */
  const called = async (): Promise<string> => {
    const from = phone.mark;
    const fromCaller = caller.mark;
    caller.command({ do: "call", to: "2001" });
    await caller.event("call.answered", {}, fromCaller);
    await phone.event("call.heard", {}, from);
    await caller.event("call.heard", {}, fromCaller);
    caller.command({ do: "hangup" });
    await phone.event("call.ended", {}, from);
    await caller.event("call.ended", {}, fromCaller);
    const invites = phone.messages("received", "INVITE ", from);
    assert.equal(invites.length, 1, "it rang once");
    return invites[0]?.peer ?? "";
  };

  test("each flow is granted outbound and held by its reg-id, with the Path of its edge (R89, R90, R91, R100)", async () => {
    const [answer] = phone.messages("received", "SIP/2.0 200 ");
    assert.match(answer?.text ?? "", /^Require: outbound\r$/m);
    assert.deepEqual(await held(), [`1 ${first.address}`, `101 ${second.address}`]);
  });

  /** Our phone calls the other one. */
  const calls = async (): Promise<void> => {
    const from = phone.mark;
    const fromCaller = caller.mark;
    phone.command({ do: "call", to: "2002" });
    await phone.event("call.answered", {}, from);
    await caller.event("call.heard", {}, fromCaller);
    phone.command({ do: "hangup" });
    await phone.event("call.ended", {}, from);
    await caller.event("call.ended", {}, fromCaller);
  };

  test("a call comes in over one of the flows, once, and its dialog stays there (R101)", async () => {
    const edges = [targetOf(first), targetOf(second)];
    assert.ok(edges.includes(await called()));
  });

  test("a call goes out through the first edge, and is ended through it", async () => {
    const from = phone.mark;
    await calls();
    const peers = phone.messages("sent", "", from).map(({ peer }) => peer);
    assert.deepEqual([...new Set(peers.filter((peer) => peer === targetOf(second)))], []);
    const [invite] = phone.messages("sent", "INVITE ", from);
    assert.match(invite?.text ?? "", /^Contact: <[^>]*;transport=tcp;ob>\r$/m);
  });

  test("over UDP its STUN is answered; when that ends, the server is dead no later than others (R96)", async () => {
    const [answer] = datagrams.messages("received", "SIP/2.0 200 ");
    assert.match(answer?.text ?? "", /^Require: outbound\r$/m);
    // All the time until now, a keep-alive each second.
    assert.deepEqual(datagrams.all("registration.interrupted"), []);
    registrar.process.signal("SIGSTOP");
    const from = datagrams.mark;
    const { why } = await datagrams.event("registration.interrupted", {}, from);
    assert.equal(why, "timeout");
    registrar.process.signal("SIGCONT");
    await datagrams.event("registration.accepted", {}, from);
  });

  test("the first edge mute, TCP up: found by its pings, left for the second, calls come and go (R93, R94)", async () => {
    const from = phone.mark;
    first.process.signal("SIGSTOP");
    const lost = await phone.event("registration.interrupted", { why: "timeout" }, from);
    assert.equal(lost.target, targetOf(first));
    await phone.event("registration.accepted", { target: targetOf(second) }, from);
    assert.equal(await called(), targetOf(second));
    await calls();
  });

  test("the first edge back, there are two flows again, one through each (R98)", async () => {
    first.process.signal("SIGCONT");
    await reached("both flows", async () => {
      const flows = (await held()).map((flow) => flow.split(" ")[1]);
      return flows.length === 2 && new Set(flows).size === 2;
    });
  });

  test("an edge killed, the next call in and out goes by the other at once (R93)", async () => {
    await second.process.kill();
    assert.equal(await called(), targetOf(first));
    await calls();
  });

  test("stopped, it leaves no binding that leads anywhere, and tshark found nothing malformed", async () => {
    assert.equal(await phone.stop(), 0);
    assert.equal(await caller.stop(), 0);
    assert.equal(await datagrams.stop(), 0);
    assert.equal(
      (await held()).some((flow) => flow.endsWith(first.address)),
      false,
    );
    await capture.assertClean({ sip: 51 });
  });
});

function common(socket: string, tcp: boolean): string {
  return `#!KAMAILIO
debug=0
memdbg=5
memlog=5
${tcp ? "tcp_children=1\ntcp_crlf_ping=yes\ntcp_connection_lifetime=600" : "disable_tcp=yes"}
auto_aliases=no
dns=no
rev_dns=no
use_dns_cache=off

loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "outbound.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "path.so"
loadmodule "ctl.so"
modparam("ctl", "binrpc", "${socket}")
modparam("outbound", "flow_token_secret", "!@#$%^&*()_+qwertyui")
modparam("tm", "fr_timer", 1500)
`;
}

/** Adds its Path to what phones register, and reaches them by it. */
function edge(registrar: string): string {
  return `
request_route {
  if (!mf_process_maxfwd_header("10")) {
    sl_send_reply("483", "Too Many Hops");
    exit;
  }
  if (is_method("CANCEL")) {
    if (t_check_trans()) t_relay();
    exit;
  }
  if (is_method("REGISTER")) {
    if (!add_path()) {
      sl_send_reply("503", "Internal Path Error");
      exit;
    }
    $du = "sip:${registrar}:5060";
    t_relay();
    exit;
  }
  if (has_totag() || $si == "${registrar}") {
    if (loose_route()) {
      if (!has_totag()) record_route();
      set_forward_no_connect();
      t_on_failure("FLOW");
      t_relay();
      exit;
    }
    if (is_method("ACK")) {
      if (t_check_trans()) t_relay();
      exit;
    }
    sl_send_reply("404", "Not Here");
    exit;
  }
  record_route();
  $du = "sip:${registrar}:5060";
  t_relay();
}

failure_route[FLOW] {
  if (t_branch_timeout() || !t_branch_replied()) send_reply("430", "Flow Failed");
}
`;
}

/** Keeps flows apart, and calls one phone over one flow after the other. */
const REGISTRAR = `
loadmodule "stun.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
alias="${DOMAIN}"
modparam("usrloc", "timer_interval", 1)
modparam("registrar", "use_path", 1)
modparam("registrar", "path_mode", 0)
modparam("registrar", "outbound_mode", 1)
modparam("registrar", "flow_timer", 60)
modparam("tm", "contacts_avp", "i:708")
modparam("tm", "contact_flows_avp", "i:709")

request_route {
  if (!mf_process_maxfwd_header("10")) {
    sl_send_reply("483", "Too Many Hops");
    exit;
  }
  if (is_method("CANCEL")) {
    if (t_check_trans()) t_relay();
    exit;
  }
  if (has_totag()) {
    if (loose_route()) t_relay();
    else if (is_method("ACK") && t_check_trans()) t_relay();
    exit;
  }
  t_check_trans();
  if (is_method("REGISTER")) {
    save("location");
    exit;
  }
  if (is_method("OPTIONS")) {
    sl_send_reply("200", "OK");
    exit;
  }
  record_route();
  remove_hf("Route");
  if (!lookup("location")) {
    sl_send_reply("404", "Not Found");
    exit;
  }
  t_load_contacts();
  t_next_contacts();
  t_on_branch_failure("NEXT");
  t_relay();
}

event_route[tm:branch-failure:NEXT] {
  if (t_check_status("430|408|477|503") && t_next_contact_flow()) {
    t_on_branch_failure("NEXT");
    t_relay();
  }
}
`;
