/** Names that never go to the DNS: `localhost` (RFC 6761 §6.3) and those of the system's hosts file. */
import { readFileSync } from "node:fs";
import { isIPv4, isIPv6 } from "node:net";
import type { DnsAnswer, RecordType } from "../../core/vocabulary.ts";
import { plainName } from "./resolver-answer.ts";

/** Seconds; a hosts file has no TTL of its own. */
const HOSTS_TTL = 60;
const LOOPBACK = ["127.0.0.1", "::1"];

export class Hosts {
  readonly #addresses = new Map<string, string[]>();

  constructor(text: string) {
    for (const line of text.split(/\r?\n/)) {
      const [address = "", ...names] = line.replace(/#.*/, "").trim().split(/\s+/);
      if (!isIPv4(address) && !isIPv6(address)) continue;
      for (const name of names.map(plainName)) {
        const known = this.#addresses.get(name);
        if (known === undefined) this.#addresses.set(name, [address]);
        else if (!known.includes(address)) known.push(address);
      }
    }
  }

  /** Undefined: the DNS is to be asked. */
  answer(name: string, type: RecordType): DnsAnswer | undefined {
    const local = name === "localhost" || name.endsWith(".localhost");
    const addresses = local ? LOOPBACK : this.#addresses.get(name);
    if (addresses === undefined) return undefined;
    if (type !== "A" && type !== "AAAA") {
      return local ? { kind: "none", ttl: HOSTS_TTL } : undefined;
    }
    const records = addresses
      .filter((address) => (type === "A" ? isIPv4(address) : isIPv6(address)))
      .map((address) => ({ type, name, ttl: HOSTS_TTL, address }));
    if (records.length === 0) return { kind: "none", ttl: HOSTS_TTL };
    return { kind: "records", records, additional: [] };
  }
}

/** The text of the system's hosts file, or nothing where there is none. */
export function systemHosts(): string {
  try {
    return readFileSync("/etc/hosts", "utf8");
  } catch {
    // A system without one has no such names.
    return "";
  }
}
