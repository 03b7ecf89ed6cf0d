/**
 * Message waiting at two real Kamailio with presence and presence_mwi: the phone subscribes where it is
 * registered, hears of messages, and follows its registration when the first server dies.
 */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { Capture } from "../support/capture.ts";
import { findPeer, needs } from "../support/peers.ts";
import { Household, type Running, reached } from "../support/processes.ts";
import { Dialtone } from "../support/processes-dialtone.ts";

const DOMAIN = "pbx.example.com";

/** A registrar and notifier without passwords. All it keeps is in memory; the module wants tables all the same. */
class PresenceServer {
  readonly address: string;
  readonly process: Running;

  constructor(household: Household, name: string, address: string) {
    const folder = household.path(name);
    mkdirSync(`${folder}/tables`, { recursive: true });
    for (const [table, text] of Object.entries(TABLES)) {
      writeFileSync(`${folder}/tables/${table}`, text);
    }
    writeFileSync(`${folder}/kamailio.cfg`, configuration(address, `${folder}/tables`));
    this.address = address;
    this.process = household.spawn(name, findPeer("kamailio") as string, [
      ...["-f", `${folder}/kamailio.cfg`, "-DD", "-E", "-Y", folder, "-P", `${folder}/pid`],
      ...["-n", "1", "-m", "32", "-M", "4", "-l", `udp:${address}:5060`],
    ]);
  }

  get target(): string {
    return `udp:${this.address}:5060`;
  }

  /** Puts new messages into the user's box; resolves with the first line of the answer. */
  async deposit(from: string, count: number): Promise<string> {
    const body = `Messages-Waiting: yes\r\nVoice-Message: ${count}/0 (0/0)\r\n`;
    const type = "application/simple-message-summary";
    return await this.ask(from, "PUBLISH", [`Content-Type: ${type}`, "Expires: 600"], body);
  }

  async ask(from: string, method: string, more: readonly string[], body = ""): Promise<string> {
    const socket = createSocket("udp4");
    try {
      socket.bind(0, from);
      await once(socket, "listening");
      const { port } = socket.address();
      const lines = [
        `${method} sip:2001@${DOMAIN} SIP/2.0`,
        `Via: SIP/2.0/UDP ${from}:${port};branch=z9hG4bK${method}${port}`,
        "Max-Forwards: 70",
        `From: <sip:2001@${DOMAIN}>;tag=${port}`,
        `To: <sip:2001@${DOMAIN}>`,
        `Call-ID: ${method}-${port}`,
        `CSeq: 1 ${method}`,
        "Event: message-summary",
        ...more,
        `Content-Length: ${body.length}`,
        "",
        body,
      ];
      socket.send(lines.join("\r\n"), 5060, this.address);
      const [answer] = await once(socket, "message", { signal: AbortSignal.timeout(1000) });
      return String(answer).split("\r\n")[0] ?? "";
    } finally {
      socket.close();
    }
  }
}

describe("message waiting at two Kamailio", needs("kamailio", "tshark"), () => {
  let household: Household;
  let capture: Capture;
  let primary: PresenceServer;
  let secondary: PresenceServer;
  let phone: Dialtone;
  let mailbox: string;

  before(async () => {
    household = await Household.open(45);
    capture = await Capture.start(household);
    primary = new PresenceServer(household, "primary", household.address(13));
    secondary = new PresenceServer(household, "secondary", household.address(14));
    mailbox = household.address(40);
    for (const server of [primary, secondary]) {
      await reached(`${server.address} answers`, async () => {
        const answer = await server.ask(mailbox, "OPTIONS", []).catch(() => "");
        return answer.includes("200");
      });
    }
    const file = household.path("phone.yaml");
    writeFileSync(file, configurationOfPhone(primary.address, secondary.address));
    const args = ["phone", "--config", file, "--bind", household.address(31)];
    phone = new Dialtone(household, "phone", args);
  });

  after(async () => await household?.close());

  test("it subscribes where it is registered, and hears of a message (R112, R115)", async () => {
    await phone.event("subscription.accepted", {
      package: "message-summary",
      target: primary.target,
    });
    assert.match(await primary.deposit(mailbox, 3), / 200 /);
    await phone.event("message-waiting.changed", { waiting: true, new: 3, old: 0 });
  });

  test("the server killed, it is subscribed at the other in a dialog of its own (C1, C26)", async () => {
    const from = phone.mark;
    await primary.process.kill();
    const moved = { from: primary.target, to: secondary.target, limited: false };
    await phone.event("subscription.moved", moved, from);
    await phone.event("subscription.accepted", { target: secondary.target }, from);
    const sent = phone.messages("sent", "SUBSCRIBE ");
    const callIds = new Set(sent.map(({ text }) => /^Call-ID: (.*)$/m.exec(text)?.[1]));
    assert.equal(callIds.size, 2);
    assert.match(await secondary.deposit(mailbox, 7), / 200 /);
    await phone.event("message-waiting.changed", { new: 7 }, from);
  });

  test("stopped, it ends the subscription, and Kamailio's last NOTIFY is answered 200", async () => {
    const from = phone.mark;
    assert.equal(await phone.stop(), 0);
    const [last] = phone.messages("sent", "SUBSCRIBE ", from);
    assert.match(last?.text ?? "", /^Expires: 0$/m);
    const answers = phone.messages("sent", "SIP/2.0 ");
    assert.ok(answers.length >= 4);
    assert.ok(answers.every(({ startLine }) => startLine === "SIP/2.0 200 OK"));
  });

  test("tshark found nothing malformed in any of it", async () => {
    await capture.assertClean({ sip: 21 });
  });
});

function configurationOfPhone(...addresses: readonly string[]): string {
  return [
    "every-account: { registration: successive, register-backoff-base: 300 ms, register-backoff-max: 300 ms }",
    "every-server: { features: full, overlap: half, register-retries: 1 }",
    "accounts:",
    '  - user: "2001"',
    `    domain: ${DOMAIN}`,
    "    password: unasked",
    "    message-waiting: yes",
    "    servers:",
    ...addresses.map((address) => `      - { address: ${address}, port: 5060, transport: udp }`),
  ].join("\n");
}

/** Of the presence module of Kamailio 5.6. */
const TABLES: Readonly<Record<string, string>> = {
  version: "table_name(string) table_version(int)\npresentity:5\nactive_watchers:12\nwatchers:3\n",
  presentity: columns(
    "username! domain! event! etag! expires received_time body! sender! priority ruid?",
  ),
  active_watchers: columns(
    "presentity_uri! watcher_username! watcher_domain! to_user! to_domain! event! event_id? to_tag!",
    "from_tag! callid! local_cseq remote_cseq contact! record_route? expires status reason! version",
    "socket_info! local_contact! from_user! from_domain! updated updated_winfo flags user_agent!",
  ),
  watchers: columns(
    "presentity_uri! watcher_username! watcher_domain! event! status reason? inserted_time",
  ),
};

/** The head of a db_text table: numbers, texts (`!`), texts or nothing (`?`). */
function columns(...names: readonly string[]): string {
  const typed = names
    .join(" ")
    .split(" ")
    .map((name) => {
      if (name.endsWith("!")) return name.replace("!", "(string)");
      return name.endsWith("?") ? name.replace("?", "(string,null)") : `${name}(int)`;
    });
  return `id(int,auto) ${typed.join(" ")}\n`;
}

function configuration(address: string, tables: string): string {
  const modules =
    "tm sl rr pv maxfwd textops siputils usrloc registrar db_text presence presence_mwi";
  return `#!KAMAILIO
debug=0
disable_tcp=yes
auto_aliases=no
dns=no
rev_dns=no
alias="${DOMAIN}"
${modules
  .split(" ")
  .map((name) => `loadmodule "${name}.so"`)
  .join("\n")}
modparam("registrar", "max_expires", 2)
modparam("presence", "db_url", "text://${tables}")
modparam("presence", "server_address", "sip:${address}:5060")
modparam("presence", "subs_db_mode", 0)
modparam("presence", "publ_cache", 2)

request_route {
  if (is_method("REGISTER")) {
    save("location");
    exit;
  }
  if (is_method("OPTIONS")) {
    sl_send_reply("200", "OK");
    exit;
  }
  if (is_method("SUBSCRIBE")) {
    if (t_newtran()) handle_subscribe();
    exit;
  }
  if (is_method("PUBLISH")) {
    if (t_newtran()) handle_publish();
    exit;
  }
  sl_send_reply("405", "Method Not Allowed");
}
`;
}
