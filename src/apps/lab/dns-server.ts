/**
 * The lab's name server: authoritative for one zone, over UDP and TCP on one port, with faults that can be switched
 * while it runs. Wire form by dns-packet.
 */
import { createSocket, type RemoteInfo, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { type AddressInfo, createServer, isIPv6, type Server, type Socket } from "node:net";
import {
  type Answer,
  AUTHORITATIVE_ANSWER,
  type DecodedPacket,
  decode,
  encode,
  type OptAnswer,
  type Packet,
  TRUNCATED_RESPONSE,
} from "dns-packet";
import { Zone, type ZoneAnswer, type ZoneData, type ZoneRecord, type ZoneType } from "./zone.ts";

export interface DnsFaults {
  /** `silent` takes the question and says nothing. */
  readonly mode: "answer" | "silent" | "refuse" | "servfail";
  /** Wait before each answer. */
  readonly delayMs: number;
  /** Every UDP answer says: ask again over TCP. */
  readonly truncate: boolean;
  /** Every address asked for is one of these; empty: the truth. */
  readonly lie: readonly string[];
  /** Addresses of those who get no answer. */
  readonly deafTo: readonly string[];
}

/** One question as it came, for ladders and tests. */
export interface DnsAsked {
  readonly name: string;
  readonly type: string;
  readonly over: "udp" | "tcp";
}

export interface DnsServerOptions {
  readonly zone: ZoneData;
  readonly asked?: (question: DnsAsked) => void;
}

const NO_FAULTS: DnsFaults = { mode: "answer", delayMs: 0, truncate: false, lie: [], deafTo: [] };
const RCODE = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 } as const;
/** As long as a lie is believed, seconds. */
const LIE_TTL = 5;
/** Names that can be said back as they came. */
const PRINTABLE = /^[\x21-\x7e]+$/;
const OPCODE_MASK = 0x7800;
/** What fits a datagram unless EDNS says more (RFC 1035 §2.3.4). */
const PLAIN_UDP_BYTES = 512;
const MAX_UDP_BYTES = 1232;
/** RFC 6891 §7: a question with EDNS is answered with EDNS. */
const EDNS: OptAnswer = {
  type: "OPT",
  name: ".",
  udpPayloadSize: MAX_UDP_BYTES,
  extendedRcode: 0,
  ednsVersion: 0,
  flags: 0,
  flag_do: false,
  options: [],
};
const IDLE_TCP_MS = 10_000;
/** Ports tried before giving up to find one that is free for both UDP and TCP. */
const PORT_TRIES = 10;

export class DnsServer {
  readonly #asked: ((question: DnsAsked) => void) | undefined;
  readonly #connections = new Set<Socket>();
  readonly #delayed = new Set<NodeJS.Timeout>();
  #zone: Zone;
  #faults: DnsFaults = NO_FAULTS;
  #udp: UdpSocket | undefined;
  #tcp: Server | undefined;

  constructor(options: DnsServerOptions) {
    this.#zone = new Zone(options.zone);
    this.#asked = options.asked;
  }

  /**
   * Listens for both protocols on one port; 0 lets the system choose.
   * @throws Error when the address cannot be had.
   */
  async listen(address: string, port: number): Promise<AddressInfo> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#listenOnce(address, port);
      } catch (error) {
        await this.close();
        if (port !== 0 || tries === PORT_TRIES) throw error;
      }
    }
  }

  /** Ends at once, with whatever is under way. */
  async close(): Promise<void> {
    for (const timer of this.#delayed) clearTimeout(timer);
    this.#delayed.clear();
    const [udp, tcp] = [this.#udp, this.#tcp];
    this.#udp = undefined;
    this.#tcp = undefined;
    if (udp !== undefined) await new Promise<void>((done) => udp.close(() => done()));
    for (const connection of this.#connections) connection.destroy();
    if (tcp?.listening) await new Promise<void>((done) => tcp.close(() => done()));
  }

  /** Faults not named stay as they are. */
  setFaults(faults: Partial<DnsFaults>): void {
    this.#faults = { ...this.#faults, ...faults };
  }

  heal(): void {
    this.#faults = NO_FAULTS;
  }

  setZone(zone: ZoneData): void {
    this.#zone = new Zone(zone);
  }

  /** Puts `records` in the place of all of that name and type. */
  replace(name: string, type: ZoneType, records: readonly ZoneRecord[]): void {
    this.#zone.replace(name, type, records);
  }

  async #listenOnce(address: string, port: number): Promise<AddressInfo> {
    const udp = createSocket(isIPv6(address) ? "udp6" : "udp4");
    udp.bind(port, address);
    await once(udp, "listening");
    this.#udp = udp;
    const bound = udp.address();
    const tcp = createServer((connection) => this.#connected(connection));
    tcp.listen(bound.port, address);
    this.#tcp = tcp;
    await once(tcp, "listening");
    udp.on("message", (bytes, from) => this.#datagram(udp, bytes, from));
    // An answer to a client that is gone comes back as an error on the socket: nothing to do about it.
    udp.on("error", () => undefined);
    return bound;
  }

  #datagram(udp: UdpSocket, bytes: Buffer, from: RemoteInfo): void {
    if (this.#faults.deafTo.includes(from.address)) return;
    this.#serve(bytes, "udp", (answer) => {
      if (this.#udp === udp) udp.send(answer, from.port, from.address);
    });
  }

  #connected(connection: Socket): void {
    this.#connections.add(connection);
    connection.setTimeout(IDLE_TCP_MS, () => connection.destroy());
    connection.on("error", () => connection.destroy());
    connection.on("close", () => this.#connections.delete(connection));
    if (this.#faults.deafTo.includes(connection.remoteAddress ?? "")) return;
    let held: Buffer = Buffer.alloc(0);
    connection.on("data", (chunk) => {
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      while (held.length >= 2 && held.length >= 2 + held.readUInt16BE(0)) {
        const end = 2 + held.readUInt16BE(0);
        const message = held.subarray(2, end);
        held = held.subarray(end);
        this.#serve(message, "tcp", (answer) => {
          const length = Buffer.alloc(2);
          length.writeUInt16BE(answer.length);
          if (!connection.destroyed) connection.write(Buffer.concat([length, answer]));
        });
      }
    });
  }

  #serve(bytes: Buffer, over: "udp" | "tcp", reply: (answer: Buffer) => void): void {
    const query = decoded(bytes);
    if (query === undefined) return;
    const [question] = query.questions ?? [];
    if (question !== undefined) {
      this.#asked?.({ name: question.name.toLowerCase(), type: question.type, over });
    }
    if (this.#faults.mode === "silent") return;
    const answer = this.#answer(query, over);
    if (this.#faults.delayMs === 0) {
      reply(answer);
      return;
    }
    const timer = setTimeout(() => {
      this.#delayed.delete(timer);
      reply(answer);
    }, this.#faults.delayMs);
    this.#delayed.add(timer);
  }

  #answer(query: DecodedPacket, over: "udp" | "tcp"): Buffer {
    const [question] = query.questions ?? [];
    if (((query.flags ?? 0) & OPCODE_MASK) !== 0) return rejection(query, RCODE.NOTIMP);
    if (question === undefined || !PRINTABLE.test(question.name)) {
      return rejection({ ...query, questions: [] }, RCODE.FORMERR);
    }
    if (this.#faults.mode === "servfail") return rejection(query, RCODE.SERVFAIL);
    const name = question.name.toLowerCase();
    const found = this.#zone.answer(name === "." ? "" : name, question.type);
    if (this.#faults.mode === "refuse" || found.status === "not-here") {
      return rejection(query, RCODE.REFUSED);
    }
    const packet = this.#packet(query, found, question.type);
    if (over === "tcp") return encode(packet);
    const whole = encode(packet);
    if (!this.#faults.truncate && whole.length <= datagramBytes(query)) return whole;
    const flags = (packet.flags ?? 0) | TRUNCATED_RESPONSE;
    return encode({ ...packet, flags, answers: [], authorities: [], additionals: [] });
  }

  #packet(query: DecodedPacket, found: ZoneAnswer, type: string): Packet {
    const rcode = found.status === "no-name" ? RCODE.NXDOMAIN : RCODE.NOERROR;
    const lies = this.#faults.lie.filter((address) => (isIPv6(address) ? "AAAA" : "A") === type);
    const answers = found.answers.map(wireForm);
    return {
      type: "response",
      ...(query.id === undefined ? {} : { id: query.id }),
      flags: AUTHORITATIVE_ANSWER | rcode,
      questions: query.questions,
      answers: lies.length === 0 ? answers : this.#lies(query, lies),
      authorities: found.status === "found" ? [] : [this.#soa()],
      additionals: [
        ...(this.#faults.lie.length === 0 ? found.additional.map(wireForm) : []),
        ...(ednsOf(query) === undefined ? [] : [EDNS]),
      ],
    };
  }

  #lies(query: DecodedPacket, addresses: readonly string[]): Answer[] {
    const name = query.questions?.[0]?.name ?? "";
    return addresses.map((data) => ({
      type: isIPv6(data) ? "AAAA" : "A",
      name,
      ttl: LIE_TTL,
      data,
    }));
  }

  #soa(): Answer {
    const { origin, negativeTtl } = this.#zone;
    const within = origin === "" ? "" : `.${origin}`;
    return {
      type: "SOA",
      name: origin,
      ttl: negativeTtl,
      data: {
        mname: `ns${within}`,
        rname: `hostmaster${within}`,
        serial: 1,
        refresh: 3600,
        retry: 600,
        expire: 604_800,
        minimum: negativeTtl,
      },
    };
  }
}

function rejection(query: DecodedPacket, rcode: number): Buffer {
  const id = query.id ?? 0;
  return encode({ type: "response", id, flags: rcode, questions: query.questions ?? [] });
}

function decoded(bytes: Buffer): DecodedPacket | undefined {
  try {
    const packet = decode(bytes);
    return packet.flag_qr ? undefined : packet;
  } catch {
    // Not DNS: nobody to answer.
    return undefined;
  }
}

function ednsOf(query: DecodedPacket): OptAnswer | undefined {
  return query.additionals?.find((record) => record.type === "OPT");
}

function datagramBytes(query: DecodedPacket): number {
  const edns = ednsOf(query);
  if (edns === undefined) return PLAIN_UDP_BYTES;
  return Math.max(PLAIN_UDP_BYTES, Math.min(edns.udpPayloadSize, MAX_UDP_BYTES));
}

function wireForm(record: ZoneRecord): Answer {
  const { name, ttl } = record;
  switch (record.type) {
    case "A":
    case "AAAA":
      return { type: record.type, name, ttl, data: record.address };
    case "CNAME":
      return { type: "CNAME", name, ttl, data: record.target };
    case "SRV": {
      const { priority, weight, port, target } = record;
      return { type: "SRV", name, ttl, data: { priority, weight, port, target } };
    }
    case "NAPTR": {
      const { order, preference, flags, service, regexp, replacement } = record;
      const data = { order, preference, flags, services: service, regexp, replacement };
      return { type: "NAPTR", name, ttl, data };
    }
  }
}
