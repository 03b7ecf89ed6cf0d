/** The two registrars of a cell: real Kamailio where it is installed, else our own, each with what it has seen. */
import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { textOfBase64 } from "../../../api/base64.ts";
import { findCommand } from "../../lab/guests/find-command.ts";
import { field, parseRecord } from "../../trace/record.ts";
import type { Crew, Member } from "../crew.ts";
import { kamailioConfig, SEEN } from "../kamailio-config.ts";
import { answers } from "../readiness.ts";
import type { Sighting, Sightings, Standing } from "./sightings.ts";

const execute = promisify(execFile);
const CLI = join(import.meta.dirname, "..", "..", "cli.js");
export const SIP_PORT = 5060;

export interface ServerPlace {
  readonly standing: Standing;
  readonly address: string;
  readonly domain: string;
  readonly folder: string;
}

/** What the servers of this machine are. */
export function serverKind(): string {
  return findCommand("kamailio") === undefined ? "dialtone serve" : "Kamailio";
}

export class BenchServer {
  readonly #crew: Crew;
  readonly #place: ServerPlace;
  readonly #seen: Sightings;
  #member: Member | undefined;

  constructor(crew: Crew, place: ServerPlace, seen: Sightings) {
    this.#crew = crew;
    this.#place = place;
    this.#seen = seen;
  }

  /** It answers when this resolves. */
  async start(): Promise<void> {
    const kamailio = findCommand("kamailio");
    const told = (line: string): void => {
      const seen = kamailio === undefined ? ownSighting(line) : kamailioSighting(line);
      if (seen !== undefined) this.#seen.add({ ...seen, server: this.#place.standing });
    };
    const { address } = this.#place;
    const command = kamailio === undefined ? this.#own() : this.#kamailio(kamailio);
    const member = await this.#crew.start(undefined, { ...command, line: told, group: true });
    this.#member = member;
    if (!(await answers(SIP_PORT, address)))
      throw new Error(`no answer from ${address}: ${member.output}`);
  }

  /** At once, and its port is closed. */
  async kill(): Promise<void> {
    this.#member?.signal("SIGKILL");
    await this.#member?.gone;
  }

  /** Nothing reaches it any more; where packets cannot be kept away it stands still. */
  async silence(isolated: boolean): Promise<void> {
    if (isolated)
      await execute("iptables", ["-I", "INPUT", "-d", this.#place.address, "-j", "DROP"]);
    else this.#member?.signal("SIGSTOP");
  }

  async restore(isolated: boolean): Promise<void> {
    if (isolated)
      await execute("iptables", ["-D", "INPUT", "-d", this.#place.address, "-j", "DROP"]);
    else this.#member?.signal("SIGCONT");
  }

  #own(): { readonly program: string; readonly args: readonly string[] } {
    const { address, domain } = this.#place;
    const listen = ["--listen", `udp:${address}:${SIP_PORT}`];
    const args = [CLI, "serve", ...listen, "--domain", domain, "--open", "--json", "--trace"];
    return { program: process.execPath, args };
  }

  #kamailio(program: string): { readonly program: string; readonly args: readonly string[] } {
    const { standing, address, domain } = this.#place;
    const folder = join(this.#place.folder, standing);
    mkdirSync(folder, { recursive: true });
    const config = join(folder, "kamailio.cfg");
    const nothing = { certificate: undefined, password: undefined };
    const place = { address, port: SIP_PORT, transport: "udp", domain, calls: true } as const;
    writeFileSync(config, kamailioConfig({ ...place, ...nothing }));
    const memory = ["-m", "32", "-M", "4"];
    const args = ["-f", config, "-DD", "-E", ...memory, "-Y", folder, "-P", join(folder, "pid")];
    return { program, args };
  }
}

type Seen = Omit<Sighting, "server">;

export function kamailioSighting(line: string): Seen | undefined {
  const [, what, user = "", seconds] = SEEN.exec(line) ?? [];
  if (what === undefined) return undefined;
  return { at: Number(seconds) * 1000, what: what as Seen["what"], user };
}

/** From the messages that our own server sends. */
export function ownSighting(line: string): Seen | undefined {
  const record = parseRecord(line);
  if (record?.event !== "message.sent") return undefined;
  const text = textOfBase64(field(record, "data"));
  const method = /^CSeq:\s*\d+ (REGISTER|INVITE)\b/im.exec(text)?.[1];
  if (method === undefined || !/^SIP\/2\.0 200 /.test(text)) return undefined;
  const user = /^From:[^\r\n]*sips?:([^@\r\n]+)@/im.exec(text)?.[1] ?? "";
  const at = Date.parse(field(record, "time"));
  if (method === "INVITE") return { at, what: "answered", user };
  // Without a contact nothing is registered any more.
  return /^Contact:/im.test(text) ? { at, what: "registered", user } : undefined;
}
