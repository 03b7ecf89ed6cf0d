/** dnsmasq as the name server of an interop test: one zone, on a port of a loopback address. */
import { writeFileSync } from "node:fs";
import { dnsmasqConfig } from "../../src/apps/bench/failover/names.ts";
import { Resolver } from "../../src/worlds/node/resolver.ts";
import { findPeer } from "./peers.ts";
import { type Household, reached } from "./processes.ts";

/** Above the privileged ones. */
export const DNS_PORT = 5353;

export interface ZoneSettings {
  readonly address: string;
  readonly domain: string;
  /** The hosts that serve the domain by SIP over UDP, best first: label to address. */
  readonly hosts: Readonly<Record<string, string>>;
  /** Of every record, seconds; 300 if absent. */
  readonly ttlSeconds?: number;
  /** Further names with their addresses. */
  readonly names?: Readonly<Record<string, string>>;
}

/** Serves NAPTR, SRV and A records of a domain; resolves with what `--dns` takes, when it answers. */
export async function startDnsmasq(household: Household, zone: ZoneSettings): Promise<string> {
  const { address, domain, hosts, names = {}, ttlSeconds = 300 } = zone;
  const file = household.path("dnsmasq.conf");
  const lines = [
    dnsmasqConfig({ address, port: DNS_PORT, domain, hosts, ttl: ttlSeconds }),
    `pid-file=${household.path("dnsmasq.pid")}`,
    ...Object.entries(names).map(([name, host]) => `host-record=${name},${host}`),
  ];
  writeFileSync(file, lines.join("\n"));
  const program = findPeer("dnsmasq") as string;
  const running = household.spawn("dnsmasq", program, [`--conf-file=${file}`, "--user="]);
  const servers = [{ host: address, port: DNS_PORT }];
  const resolver = new Resolver({ servers, timeoutMs: 200, retries: 0 });
  const question = { kind: "dns", name: `${Object.keys(hosts)[0]}.${domain}`, type: "A" } as const;
  await reached("an answer of dnsmasq", () => {
    if (!running.running) throw new Error(`dnsmasq ended:\n${running.lines.join("\n")}`);
    return new Promise((done) =>
      resolver.ask(question, (answer) => done(answer.kind === "records")),
    );
  });
  resolver.close();
  return `${address}:${DNS_PORT}`;
}
