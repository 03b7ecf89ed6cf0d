/** Kamailio with its presence modules: registrar, notifier and compositor of events, without passwords. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { findPeer } from "./peers.ts";
import { type Household, PATIENCE_MS, type Running, reached } from "./processes.ts";

/** So long one attempt waits to find out whether anybody is there yet, milliseconds. */
const ATTEMPT_MS = 1000;

export const DOMAIN = "pbx.example.com";

/** All it keeps is in memory; the module wants tables all the same. */
export class PresenceServer {
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

  /** Resolves when it answers. */
  async ready(from: string): Promise<void> {
    await reached(`${this.address} answers`, async () => {
      const answer = await this.#ask(from, "OPTIONS", [], "", ATTEMPT_MS).catch(() => "");
      return answer.includes("200");
    });
  }

  get target(): string {
    return `udp:${this.address}:5060`;
  }

  /** Puts new messages into the user's box; resolves with the first line of the answer. */
  async deposit(from: string, count: number): Promise<string> {
    const body = `Messages-Waiting: yes\r\nVoice-Message: ${count}/0 (0/0)\r\n`;
    const type = "application/simple-message-summary";
    const more = [`Content-Type: ${type}`, "Expires: 600"];
    return await this.#ask(from, "PUBLISH", more, body, PATIENCE_MS);
  }

  async #ask(
    from: string,
    method: string,
    more: readonly string[],
    body: string,
    patienceMs: number,
  ): Promise<string> {
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
      const [answer] = await once(socket, "message", { signal: AbortSignal.timeout(patienceMs) });
      return String(answer).split("\r\n")[0] ?? "";
    } finally {
      socket.close();
    }
  }
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
    "tm sl rr pv maxfwd textops siputils usrloc registrar db_text presence presence_mwi presence_xml";
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
modparam("presence_xml", "force_active", 1)

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
