/** One question to one name server over a socket of its own: random port, random id (RFC 5452), UDP or TCP. */
import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { connect } from "node:net";
import {
  type DecodedPacket,
  decode,
  encode,
  type OptAnswer,
  type Packet,
  RECURSION_DESIRED,
} from "dns-packet";
import type { RecordType } from "../../core/vocabulary.ts";
import { plainName } from "./resolver-answer.ts";
import type { NameServer } from "./resolver-servers.ts";

export interface ExchangeUser {
  heard(exchange: Exchange, packet: DecodedPacket): void;
  /** Nothing can come any more: closed port, no route, connection lost. */
  broken(exchange: Exchange, why: string): void;
}

/** Small enough for any path (DNS flag day 2020). */
const UDP_PAYLOAD_BYTES = 1232;
const EDNS: OptAnswer = {
  type: "OPT",
  name: ".",
  udpPayloadSize: UDP_PAYLOAD_BYTES,
  extendedRcode: 0,
  ednsVersion: 0,
  flags: 0,
  flag_do: false,
  options: [],
};

export class Exchange {
  readonly server: NameServer;
  readonly over: "udp" | "tcp";
  readonly withEdns: boolean;
  readonly #name: string;
  readonly #type: RecordType;
  readonly #id = randomInt(0x1_0000);
  readonly #user: ExchangeUser;
  #open = true;
  #closeSocket: () => void = () => undefined;

  constructor(
    server: NameServer,
    over: "udp" | "tcp",
    name: string,
    type: RecordType,
    user: ExchangeUser,
  ) {
    this.server = server;
    this.over = over;
    this.withEdns = server.edns;
    this.#name = name;
    this.#type = type;
    this.#user = user;
  }

  start(): void {
    if (this.over === "udp") this.#startUdp();
    else this.#startTcp();
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#closeSocket();
  }

  #startUdp(): void {
    const socket = createSocket(this.server.family === 6 ? "udp6" : "udp4");
    this.#closeSocket = () => socket.close();
    socket.on("error", (error) => this.#broken(error));
    socket.on("message", (bytes) => this.#received(bytes));
    socket.on("connect", () => {
      if (this.#open) socket.send(encode(this.#query()));
    });
    // Connected, so that a closed port is told at once and only this server is heard.
    socket.connect(this.server.port, this.server.host);
  }

  #startTcp(): void {
    const socket = connect(this.server.port, this.server.host);
    this.#closeSocket = () => socket.destroy();
    const query = encode(this.#query());
    const length = Buffer.alloc(2);
    length.writeUInt16BE(query.length);
    socket.write(Buffer.concat([length, query]));
    let held: Buffer = Buffer.alloc(0);
    socket.on("data", (chunk) => {
      held = Buffer.concat([held, chunk]);
      while (this.#open && held.length >= 2 && held.length >= 2 + held.readUInt16BE(0)) {
        const end = 2 + held.readUInt16BE(0);
        this.#received(held.subarray(2, end));
        held = held.subarray(end);
      }
    });
    socket.on("error", (error) => this.#broken(error));
    socket.on("close", () => this.#broken(new Error("connection closed")));
  }

  #query(): Packet {
    return {
      type: "query",
      id: this.#id,
      flags: RECURSION_DESIRED,
      questions: [{ type: this.#type, name: this.#name, class: "IN" }],
      additionals: this.withEdns ? [EDNS] : [],
    };
  }

  /** What does not answer exactly this question is not looked at. */
  #received(bytes: Buffer): void {
    const packet = decodeMessage(bytes);
    if (!this.#open || packet === undefined || packet.id !== this.#id || !packet.flag_qr) return;
    const [question] = packet.questions ?? [];
    // A server that cannot read a question may leave it out of its refusal.
    if (
      question !== undefined &&
      (question.type !== this.#type || plainName(question.name) !== this.#name)
    ) {
      return;
    }
    this.#user.heard(this, packet);
  }

  #broken(error: Error): void {
    if (!this.#open) return;
    this.close();
    this.#user.broken(this, "code" in error ? String(error.code) : error.message);
  }
}

/** Undefined: not DNS, or damaged. */
export function decodeMessage(bytes: Buffer): DecodedPacket | undefined {
  try {
    return decode(bytes);
  } catch {
    // Not DNS, or damaged: as good as not received.
    return undefined;
  }
}
