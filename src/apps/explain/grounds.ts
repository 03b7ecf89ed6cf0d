/**
 * What stands around a configuration when nothing is known but the configuration: a simulated machine for each
 * address that its servers and outbound proxies have, and the records that lead there.
 */
import { isIP } from "node:net";
import { defaultPort } from "../../core/locate/search.ts";
import type { Local } from "../../core/machine.ts";
import type {
  AccountPolicy,
  RedundancyPolicy,
  ServerPolicy,
} from "../../core/redundancy/policy.ts";
import { hostText } from "../../core/server/domains.ts";
import type { ResourceRecord } from "../../core/vocabulary.ts";
import type { ServerSpec } from "../sim/town.ts";

/** The door of each machine for those who are not the phone in question. */
export const BACK_PORT = 5099;
export const TTL_SECONDS = 60;
/** Where invented machines stand: the first of these networks that no file has an address in. */
const INVENTED_NETWORKS = ["10.77", "10.79", "198.18"] as const;
const UDP_SERVICE = ["_sip._udp", 5060] as const;
const SERVICES: Readonly<Record<string, readonly [service: string, port: number]>> = {
  tcp: ["_sip._tcp", 5060],
  "tcp-preferred": ["_sip._tcp", 5060],
  tls: ["_sips._tcp", 5061],
};

const SERVICE_TRANSPORTS: Readonly<Record<string, Local["transport"]>> = {
  "_sip._udp": "udp",
  "_sip._tcp": "tcp",
  "_sips._tcp": "tls",
};

/** One machine that the phone may send to. */
export interface GroundServer {
  readonly spec: ServerSpec;
  /** The configured server it stands for, 1-based; of a proxy the first server behind it. */
  readonly server: number;
  /** For people: `server 2`, `the primary of server 1`. */
  readonly title: string;
  /** Of all machines behind one name: `server 1`. */
  readonly group: string;
}

export interface Grounds {
  readonly servers: readonly GroundServer[];
  readonly records: readonly ResourceRecord[];
  /** Never empty: every domain that an address-of-record of the account can have. */
  readonly domains: readonly string[];
  /** Targets behind each hop, as `Surroundings.targets` of bounds.ts counts. */
  readonly targets: ReadonlyMap<number, number>;
  /** Of the records that lead to them. */
  readonly ttlSeconds: number;
}

/** A server or proxy that requests are sent to. */
export interface Hop {
  readonly policy: ServerPolicy;
  /** 1-based server, or -1, -2 … for proxies. */
  readonly number: number;
  readonly server: number;
  readonly name: string;
  readonly features: ServerPolicy["features"];
}

/** What the files do not say. */
export interface Surroundings {
  /** How many addresses the name of the working server has, where no static record says so. */
  readonly targets: number;
  /** Seconds that the records behind names may be kept for. Default 60. */
  readonly ttlSeconds?: number;
  /** Working servers do not know what phones have told one another. */
  readonly ownLocations?: boolean;
  /** The addresses that names really came to, by the number of the hop. */
  readonly found?: ReadonlyMap<number, readonly string[]>;
}

export function groundsOf(account: AccountPolicy, around: Surroundings): Grounds {
  const { ttlSeconds = TTL_SECONDS, ownLocations = false } = around;
  const { redundancy } = account;
  const servers = new Map<string, GroundServer>();
  const records: ResourceRecord[] = [];
  const counts = new Map<number, number>();
  const network = freeNetwork(INVENTED_NETWORKS, addressesIn(redundancy));
  const named = new Map<string, readonly string[]>();
  for (const hop of hopsOf(redundancy)) {
    const { address: name } = hop.policy;
    const places = placesOf(hop, redundancy, { ...around, ttlSeconds }, (count) => {
      // A name that stands twice (with another port or transport) leads to the same machines.
      return named.get(name) ?? inventedAddresses(network, hop.number, count);
    });
    const { addresses } = places;
    named.set(name, addresses);
    records.push(...places.records.filter((one) => !records.some((other) => isSame(one, other))));
    counts.set(hop.number, addresses.length);
    for (const [position, address] of addresses.entries()) {
      const doors = [...doorsOf(hop.policy, address), ...doorsToldOf(address, places.records)];
      const spec = heardToo(specOf(hop, address, ownLocations), doors);
      const earlier = servers.get(address);
      const merged = earlier === undefined ? spec : heardToo(earlier.spec, spec.listen ?? []);
      // One machine for two servers of the files dies for both.
      const title =
        earlier === undefined
          ? titleOf(hop, position, addresses.length)
          : `${earlier.title} (also ${hop.name})`;
      const { server = hop.server, group = hop.name } = earlier ?? {};
      servers.set(address, { spec: merged, server, title, group });
    }
  }
  return {
    servers: [...servers.values()],
    records,
    domains: [...new Set(redundancy.servers.map((server) => domainOf(account, server)))],
    targets: counts,
    ttlSeconds: Math.max(...(records.length > 0 ? records.map(({ ttl }) => ttl) : [ttlSeconds])),
  };
}

function isSame(one: ResourceRecord, other: ResourceRecord): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** The first of these networks (`10.77`) that none of the addresses is in; the last one, if there is none. */
export function freeNetwork(
  networks: readonly [string, ...string[]],
  taken: readonly string[],
): string {
  const free = networks.find((network) => !taken.some((one) => one.startsWith(`${network}.`)));
  return free ?? (networks.at(-1) as string);
}

/** Every address that the files themselves name. */
function addressesIn({ servers, proxies, dns }: RedundancyPolicy): string[] {
  const records = dns.records.flatMap((record) => ("address" in record ? record.address : []));
  return [...[...servers, ...proxies].map(({ address }) => address), ...records];
}

/** Where a hop leads, best first, and what the resolver knows of it. */
interface Places {
  readonly addresses: readonly string[];
  readonly records: readonly ResourceRecord[];
}

/** Static records in the files stand for what the resolver would say: services, ports and lifetimes, too. */
function placesOf(
  { policy, number }: Hop,
  redundancy: RedundancyPolicy,
  { targets, ttlSeconds = TTL_SECONDS, found }: Surroundings,
  invented: (count: number) => readonly string[],
): Places {
  if (isIP(policy.address) !== 0) return { addresses: [policy.address], records: [] };
  const known = found?.get(number) ?? [];
  const fixed = staticPlaces(policy, redundancy);
  const isFixed = fixed.addresses.length > 0 && known.every((one) => fixed.addresses.includes(one));
  if (isFixed) return fixed;
  const addresses =
    known.length > 0 ? known : invented(number === 1 || number === -1 ? targets : 1);
  const records = addresses.flatMap((address, position) =>
    recordsOf(policy, position, address, ttlSeconds),
  );
  return { addresses, records };
}

/** The domain of the account's address-of-record at a server. */
export function domainOf(account: AccountPolicy, server: ServerPolicy): string {
  return account.domain ?? hostText(server.address);
}

/** Only what is sent to: a server behind proxies is theirs to reach. */
export function hopsOf({ servers, proxies }: RedundancyPolicy): Hop[] {
  const hops: Hop[] = [];
  const behind = servers.findIndex(({ throughProxy }) => throughProxy);
  if (behind >= 0) {
    for (const [position, policy] of proxies.entries()) {
      const name = `proxy ${position + 1}`;
      hops.push({ policy, number: -1 - position, server: behind + 1, name, features: "full" });
    }
  }
  for (const [position, policy] of servers.entries()) {
    if (policy.throughProxy && proxies.length > 0) continue;
    const number = position + 1;
    hops.push({ policy, number, server: number, name: `server ${number}`, ...policy });
  }
  return hops;
}

function titleOf(hop: Hop, position: number, count: number): string {
  if (count === 1) return hop.name;
  const rank = ["the primary", "the secondary"][position] ?? `number ${position + 1}`;
  return `${rank} of ${hop.name}`;
}

function specOf(hop: Hop, address: string, ownLocations: boolean): ServerSpec {
  const working = hop.features === "full";
  return {
    name: `at-${address.replaceAll(":", ".")}`,
    address,
    port: BACK_PORT,
    role: working ? "working" : "fallback",
    location: working && !ownLocations ? "shared" : "own",
    listen: [{ transport: "udp", address, port: BACK_PORT }],
  };
}

function doorsOf({ transport, port }: ServerPolicy, address: string): Local[] {
  if (transport === "ws" || transport === "wss") {
    return [{ transport, address, port: port === 0 ? defaultPort(transport) : port }];
  }
  const plain = port === 0 ? 5060 : port;
  const tls: Local = { transport: "tls", address, port: port === 0 ? 5061 : port };
  if (transport === "tls") return [tls];
  const doors: Local[] = [
    { transport: "udp", address, port: plain },
    { transport: "tcp", address, port: plain },
  ];
  return transport === "naptr" ? [...doors, { ...tls, port: 5061 }] : doors;
}

/** A service record may lead to any port. */
function doorsToldOf(address: string, records: readonly ResourceRecord[]): Local[] {
  const hosts = new Set(
    records.flatMap((record) =>
      "address" in record && record.address === address ? record.name : [],
    ),
  );
  return records.flatMap((record) => {
    if (record.type !== "SRV" || !hosts.has(record.target)) return [];
    const transport = SERVICE_TRANSPORTS[record.name.split(".", 2).join(".").toLowerCase()];
    return transport === undefined ? [] : { transport, address, port: record.port };
  });
}

function heardToo(spec: ServerSpec, doors: readonly Local[]): ServerSpec {
  const listen = [...(spec.listen ?? [])];
  const key = ({ transport, port }: Local): string => `${transport} ${port}`;
  const known = new Set(listen.map(key));
  for (const door of doors) {
    if (!known.has(key(door))) listen.push(door);
    known.add(key(door));
  }
  return { ...spec, listen };
}

function inventedAddresses(network: string, number: number, count: number): string[] {
  const third = number > 0 ? number : 100 - number;
  return Array.from({ length: count }, (_none, position) => `${network}.${third}.${13 + position}`);
}

/** What static records say of a name, the best address first. */
function staticPlaces({ address }: ServerPolicy, { dns }: RedundancyPolicy): Places {
  const named = dns.records.filter(({ type, name }) => type === "NAPTR" && name === address);
  const replacements = named.flatMap((record) =>
    record.type === "NAPTR" ? record.replacement : [],
  );
  const services = dns.records
    .flatMap((record) => (record.type === "SRV" ? record : []))
    .filter(
      ({ name }) =>
        replacements.includes(name) || /^_sips?\._\w+\./.exec(name)?.[0] + address === name,
    )
    .sort((a, b) => a.priority - b.priority || b.weight - a.weight);
  const hosts = [...new Set([address, ...services.map(({ target }) => target)])].flatMap((host) =>
    dns.records.flatMap((record) =>
      (record.type === "A" || record.type === "AAAA") && record.name === host ? record : [],
    ),
  );
  const addresses = [...new Set(hosts.map((record) => record.address))];
  return { addresses, records: [...named, ...services, ...hosts] };
}

/** SRV for the one transport that most such names have: more of them would be more targets. */
function recordsOf(
  { address: name, transport }: ServerPolicy,
  position: number,
  address: string,
  ttl: number,
): ResourceRecord[] {
  const target = `h${position + 1}.${name}`;
  const rank = { ttl, priority: 10 * (position + 1), weight: 10, target };
  const type = address.includes(":") ? "AAAA" : "A";
  const [service, port] = SERVICES[transport] ?? UDP_SERVICE;
  return [
    { type: "SRV", name: `${service}.${name}`, port, ...rank },
    { type, name: target, ttl, address },
    { type, name, ttl, address },
  ];
}
