/** dnsmasq as the name server of an interop test: one zone, on a port of a loopback address. */
import { writeFileSync } from "node:fs";
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
  const labels = Object.keys(hosts);
  const lines = [
    `port=${DNS_PORT}`,
    `listen-address=${address}`,
    "bind-interfaces",
    "no-resolv",
    "no-hosts",
    "keep-in-foreground",
    `pid-file=${household.path("dnsmasq.pid")}`,
    `local=/${domain}/`,
    `local-ttl=${ttlSeconds}`,
    `naptr-record=${domain},100,50,s,SIP+D2U,,_sip._udp.${domain}`,
    ...labels.flatMap((label, index) => [
      `srv-host=_sip._udp.${domain},${label}.${domain},5060,${10 * (index + 1)},10`,
      `host-record=${label}.${domain},${hosts[label]}`,
    ]),
    ...Object.entries(names).map(([name, host]) => `host-record=${name},${host}`),
  ];
  writeFileSync(file, lines.join("\n"));
  const program = findPeer("dnsmasq") as string;
  const running = household.spawn("dnsmasq", program, [`--conf-file=${file}`, "--user="]);
  const servers = [{ host: address, port: DNS_PORT }];
  const resolver = new Resolver({ servers, timeoutMs: 200, retries: 0 });
  const question = { kind: "dns", name: `${labels[0]}.${domain}`, type: "A" } as const;
  await reached("an answer of dnsmasq", () => {
    if (!running.running) throw new Error(`dnsmasq ended:\n${running.lines.join("\n")}`);
    return new Promise((done) =>
      resolver.ask(question, (answer) => done(answer.kind === "records")),
    );
  });
  resolver.close();
  return `${address}:${DNS_PORT}`;
}
