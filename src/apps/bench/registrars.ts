/** The registrars that can be measured here, ourselves first, and how each is started. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findCommand } from "../lab/guests/find-command.ts";
import { type CertificateFiles, certificateFlags } from "./certificate.ts";
import type { Command, Crew, Member } from "./crew.ts";
import { kamailioConfig } from "./kamailio-config.ts";
import { DOMAIN, type LoadTransport, PASSWORD, userName } from "./load.ts";
import { loadSip } from "./npm-sip.ts";
import { answers } from "./readiness.ts";

/** What the server is to do. */
export interface Duty {
  readonly port: number;
  readonly transport: LoadTransport;
  /** For TLS. */
  readonly certificate: CertificateFiles | undefined;
  readonly digest: boolean;
  /** Every binding is on the disk before its 200. Only we are asked for that. */
  readonly disk: boolean;
  readonly users: number;
}

export interface Registrar {
  readonly name: string;
  /** Takes so long that it is given fewer requests. */
  readonly slow: boolean;
  /** Speaks TCP and TLS, too. */
  readonly streams: boolean;
  start(duty: Duty): Promise<Member>;
}

const CLI = join(import.meta.dirname, "..", "cli.js");

export function dialtone(crew: Crew, folder: string): Registrar {
  const start = (duty: Duty): Promise<Member> => {
    const { port, transport, digest, disk, users } = duty;
    const access = digest ? ["--users", usersFile(folder, users)] : ["--open"];
    const store = disk ? ["--store", mkdtempSync(join(folder, "store-"))] : [];
    const secure = transport === "tls" ? certificateFlags(duty.certificate) : [];
    const listen = ["--listen", `${transport}:127.0.0.1:${port}`, ...secure];
    const args = [CLI, "serve", ...listen, "--domain", DOMAIN, ...access, ...store];
    return crew.start(0, { program: process.execPath, args, ready: /server\.started/ });
  };
  return { name: "dialtone", slow: false, streams: true, start };
}

/** Whether a part of the name was asked for, or nothing. */
export function isWanted(name: string, parts: readonly string[] | undefined): boolean {
  const lower = name.toLowerCase();
  return parts?.some((part) => lower.includes(part.toLowerCase())) ?? true;
}

/** The others that are installed. */
export function peers(crew: Crew, folder: string): Registrar[] {
  const here = import.meta.dirname;
  const found = [script(crew, "JS floor", join(here, "floor-registrar.js"), false)];
  const kamailio = findCommand("kamailio");
  if (kamailio !== undefined) {
    found.push(kamailioAs("Kamailio as Debian ships it", kamailio, [], crew, folder));
    const tlsf = ["-x", "tlsf", "-X", "tlsf"];
    found.push(kamailioAs("Kamailio -x tlsf -X tlsf", kamailio, tlsf, crew, folder));
  }
  if (loadSip() !== undefined) {
    found.push(script(crew, "npm sip", join(here, "npm-sip-registrar.js"), true));
  }
  return found;
}

function script(crew: Crew, name: string, file: string, slow: boolean): Registrar {
  const start = ({ port, digest }: Duty): Promise<Member> => {
    const args = [file, `${port}`, ...(digest ? [DOMAIN, PASSWORD] : [])];
    return crew.start(0, { program: process.execPath, args, ready: /ready/ });
  };
  return { name, slow, streams: false, start };
}

function kamailioAs(
  name: string,
  program: string,
  allocator: readonly string[],
  crew: Crew,
  folder: string,
): Registrar {
  const start = async ({ port, transport, digest, certificate }: Duty): Promise<Member> => {
    const place = mkdtempSync(join(folder, "kamailio-"));
    const config = join(place, "kamailio.cfg");
    const password = digest ? PASSWORD : undefined;
    const secure = transport === "tls" ? certificate : undefined;
    const where = { address: "127.0.0.1", port, transport, certificate: secure };
    writeFileSync(config, kamailioConfig({ ...where, domain: DOMAIN, password }));
    const memory = ["-m", "512", "-M", "16", "-b", "4194304"];
    const files = ["-Y", place, "-P", join(place, "pid")];
    const command: Command = {
      program,
      args: ["-f", config, "-DD", "-E", ...memory, ...files, ...allocator],
    };
    const member = await crew.start(0, command);
    if (!(await answers(port))) throw new Error(`Kamailio does not answer: ${member.output}`);
    return member;
  };
  return { name, slow: false, streams: true, start };
}

function usersFile(folder: string, users: number): string {
  const file = join(folder, "users.yaml");
  const lines = Array.from({ length: users }, (_, index) => `${userName(index)}: ${PASSWORD}`);
  writeFileSync(file, `${lines.join("\n")}\n`);
  return file;
}
