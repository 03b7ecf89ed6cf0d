/** The name of the two registrars in the DNS: NAPTR and SRV, the primary first. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { findCommand } from "../../lab/guests/find-command.ts";
import { NameServer } from "../../lab/name-server.ts";
import { readZone } from "../../lab/zone-file.ts";
import type { Crew, Member } from "../crew.ts";

export interface Names {
  readonly address: string;
  readonly port: number;
  readonly domain: string;
  /** The hosts that serve the domain by SIP over UDP, best first: label to address. */
  readonly hosts: Readonly<Record<string, string>>;
  /** Seconds for which an answer may be kept. */
  readonly ttl: number;
}

/** dnsmasq as the one name server of a domain. */
export function dnsmasqConfig({ address, port, domain, hosts, ttl }: Names): string {
  return [
    `port=${port}`,
    `listen-address=${address}`,
    "bind-interfaces",
    "no-resolv",
    "no-hosts",
    "keep-in-foreground",
    `local=/${domain}/`,
    `local-ttl=${ttl}`,
    `naptr-record=${domain},100,50,s,SIP+D2U,,_sip._udp.${domain}`,
    ...Object.keys(hosts).flatMap((label, index) => [
      `srv-host=_sip._udp.${domain},${label}.${domain},5060,${10 * (index + 1)},10`,
      `host-record=${label}.${domain},${hosts[label]}`,
    ]),
  ].join("\n");
}

/** dnsmasq where it is installed, else the lab's own. @returns what ends it. */
export async function serveNames(crew: Crew, folder: string, names: Names): Promise<() => unknown> {
  const program = findCommand("dnsmasq");
  if (program === undefined) return await serveOurselves(names);
  const file = join(folder, "dnsmasq.conf");
  writeFileSync(file, `${dnsmasqConfig(names)}\npid-file=${join(folder, "dnsmasq.pid")}\n`);
  const args = [`--conf-file=${file}`, "--user=", "--log-facility=-"];
  const member: Member = await crew.start(undefined, { program, args, ready: /started/ });
  return () => member.stop();
}

async function serveOurselves(names: Names): Promise<() => unknown> {
  const { address, port, domain, hosts, ttl } = names;
  const lines = Object.keys(hosts).flatMap((label, index) => [
    `_sip._udp.${domain}. SRV ${10 * (index + 1)} 10 5060 ${label}.${domain}.`,
    `${label}.${domain}. A ${hosts[label]}`,
  ]);
  const naptr = `${domain}. NAPTR 100 50 "s" "SIP+D2U" "" _sip._udp.${domain}.`;
  const text = [`$ORIGIN ${domain}.`, `$TTL ${ttl}`, naptr, ...lines, ""].join("\n");
  const server = new NameServer(() => undefined);
  await server.listen(address, port, readZone(text).zone);
  return () => server.close();
}
