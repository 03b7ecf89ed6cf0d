/** Servers drawn from a seed: what each name leads to, over which transports, and the records that say so. */
import type { ServerPolicy, ServerTransport } from "../../../core/redundancy/policy.ts";
import type { Dialect } from "../../../core/redundancy/policy-defaults.ts";
import type { ResourceRecord } from "../../../core/vocabulary.ts";
import type { Prng } from "../../../worlds/sim/prng.ts";
import type { ServerSpec } from "../town.ts";
import { DOMAIN } from "./plan.ts";

/** Where a configured server is to be found. */
export type PlaceDraw = Pick<ServerPolicy, "address" | "port" | "transport">;

export interface ServersDraw {
  readonly servers: ServerSpec[];
  /** Addresses of each configured server. */
  readonly targets: string[][];
  readonly places: PlaceDraw[];
  /** Places that each is resolved to. */
  readonly counts: number[];
  readonly records: ResourceRecord[];
}

export interface ServersWish {
  readonly dialect: Dialect;
  readonly shared: boolean;
  readonly ttlSeconds: number;
}

const MOST_SERVERS: Readonly<Record<Dialect, number>> = { native: 4, yealink: 2, polycom: 4 };
const TRANSPORTS: Readonly<Record<Dialect, readonly ServerTransport[]>> = {
  native: ["udp", "udp", "udp", "tcp", "tls", "ws", "naptr", "tcp-preferred"],
  yealink: ["udp", "udp", "udp", "tcp", "tls", "naptr"],
  polycom: ["udp", "udp", "naptr", "tcp", "tls", "tcp-preferred"],
};
const TLS_PORT = 5061;
const WS_PORT = 5066;

/** A process that listens to every transport that a policy can name. */
export function serverAt(
  name: string,
  address: string,
  role: ServerSpec["role"],
  location: ServerSpec["location"],
): ServerSpec {
  const port = 5060;
  const listen = [
    { transport: "udp", address, port },
    { transport: "tcp", address, port },
    { transport: "tls", address, port: TLS_PORT },
    { transport: "ws", address, port: WS_PORT },
  ] as const;
  return { name, address, port, listen, role, location };
}

export function drawServers(prng: Prng, wish: ServersWish): ServersDraw {
  const drawn: ServersDraw = { servers: [], targets: [], places: [], counts: [], records: [] };
  const count = prng.between(1, MOST_SERVERS[wish.dialect]);
  const usual = prng.pick(TRANSPORTS[wish.dialect]);
  for (let index = 0; index < count; index += 1) {
    const transport = prng.chance(0.7) ? usual : prng.pick(TRANSPORTS[wish.dialect]);
    drawServer(prng, wish, drawn, index, transport);
  }
  return drawn;
}

function drawServer(
  prng: Prng,
  { shared, ttlSeconds }: ServersWish,
  drawn: ServersDraw,
  index: number,
  transport: ServerTransport,
): void {
  const addresses: string[] = [];
  const hosts = prng.pick([1, 1, 2, 3]);
  // A server that keeps its own location and comes after the first may be one for basic calls only.
  const role = !shared && index > 0 && prng.chance(0.5) ? "fallback" : "working";
  for (let host = 0; host < hosts; host += 1) {
    const address = `10.0.${index + 1}.${13 + host}`;
    addresses.push(address);
    const name = `s${index + 1}-${host + 1}`;
    drawn.servers.push(serverAt(name, address, role, shared ? "shared" : "own"));
  }
  drawn.targets.push(addresses);
  const [first = ""] = addresses;
  if (hosts === 1 && !prng.chance(0.3)) {
    drawn.places.push({ address: first, port: portOf(transport), transport });
    drawn.counts.push(transport === "tcp-preferred" ? 2 : 1);
    return;
  }
  const name = `s${index + 1}.${DOMAIN}`;
  const bySrv = transport !== "ws" && prng.chance(0.5);
  drawn.places.push({ address: name, port: bySrv ? 0 : portOf(transport), transport });
  drawn.records.push(...recordsOf(name, addresses, ttlSeconds, bySrv));
  const pointed = bySrv && transport === "naptr" && prng.chance(0.5);
  if (pointed) drawn.records.push(...pointersOf(name, ttlSeconds));
  drawn.counts.push(hosts * waysOf(transport, bySrv));
}

function portOf(transport: ServerTransport): number {
  if (transport === "tls") return TLS_PORT;
  return transport === "ws" ? WS_PORT : 5060;
}

/** Places of one host: NAPTR may lead to it over UDP, TCP and TLS. */
function waysOf(transport: ServerTransport, bySrv: boolean): number {
  if (transport === "tcp-preferred") return 2;
  return transport === "naptr" && bySrv ? 3 : 1;
}

/** Distinct priorities, so that everybody agrees who is primary; several addresses of one name keep their order. */
function recordsOf(
  name: string,
  addresses: readonly string[],
  ttl: number,
  bySrv: boolean,
): ResourceRecord[] {
  if (!bySrv) return addresses.map((address) => ({ type: "A", name, ttl, address }));
  return addresses.flatMap((address, index): ResourceRecord[] => {
    const target = `h${index + 1}.${name}`;
    const priority = 10 * (index + 1);
    const place = { priority, weight: 10, port: 5060, target };
    return [
      { type: "SRV", name: `_sip._udp.${name}`, ttl, ...place },
      { type: "SRV", name: `_sip._tcp.${name}`, ttl, ...place },
      { type: "SRV", name: `_sips._tcp.${name}`, ttl, ...place, port: TLS_PORT },
      { type: "A", name: target, ttl, address },
    ];
  });
}

function pointersOf(name: string, ttl: number): ResourceRecord[] {
  const services = [
    ["SIP+D2T", `_sip._tcp.${name}`],
    ["SIP+D2U", `_sip._udp.${name}`],
  ] as const;
  return services.map(([service, replacement], index) => ({
    type: "NAPTR",
    name,
    ttl,
    order: 10,
    preference: 10 * (index + 1),
    flags: "s",
    service,
    regexp: "",
    replacement,
  }));
}
