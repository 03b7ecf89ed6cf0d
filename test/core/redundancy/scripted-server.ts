/**
 * A SIP server that does what a test tells it to, over UDP, TCP and TLS; left alone it says yes to everything. It
 * needs no framing: the simulator hands over whatever was sent in one piece.
 */
import {
  type FlowId,
  type Instant,
  type Machine,
  NEVER,
  type World,
} from "../../../src/core/machine.ts";
import type { Request } from "../../../src/core/message/message.ts";
import { parseMessage } from "../../../src/core/message/parse.ts";
import { printMessage, responseTo } from "../../../src/core/message/print.ts";
import { Outbox } from "../../../src/core/outbox.ts";

/** One answer: when after the request, and with which further headers. */
export interface Reply {
  readonly status: number;
  readonly afterMs?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What a request is answered with; an empty list is silence. */
export type Habit = (request: Request, now: Instant) => readonly Reply[];

export const SILENT: Habit = () => [];

/** Always the same answer. */
export function says(status: number, headers: Readonly<Record<string, string>> = {}): Habit {
  return () => [{ status, headers }];
}

export class ScriptedServer implements Machine {
  readonly address: string;
  /** Requests taken in, retransmissions included. */
  readonly requests: Request[] = [];
  /** By method; `*` for the others. */
  habits: Record<string, Habit> = {};
  /** Closes each connection once it has answered over it. */
  hangsUp = false;
  /** When keep-alives came, and whether they are answered. */
  readonly pings: Instant[] = [];
  pongs = false;
  /** Told of each response. */
  heard: ((text: string) => void) | undefined;
  readonly #outbox = new Outbox();
  #later: { due: Instant; flow: FlowId; text: string }[] = [];

  constructor(address: string) {
    this.address = address;
  }

  listen(): void {
    for (const [flow, transport] of [
      [1, "udp"],
      [2, "tcp"],
      [4, "tls"],
    ] as const) {
      const port = transport === "tls" ? 5061 : 5060;
      this.#outbox.bind(flow, { transport, address: this.address, port });
    }
  }

  /** Says something of its own accord, in datagrams from its port or over a connection of its own. */
  ask(text: string, address: string, transport: "udp" | "tcp" = "udp"): void {
    const from = transport === "udp" ? 1 : 0;
    this.#outbox.open(3, { transport, address, port: 5060 }, { from, connected: false });
    this.#outbox.send(3, Buffer.from(text, "latin1"));
  }

  bound(): void {}

  opened(): void {}

  lost(): void {}

  answered(): void {}

  received(now: Instant, flow: FlowId, bytes: Uint8Array): void {
    const text = Buffer.from(bytes).toString("latin1");
    if (text.trim() === "") {
      this.pings.push(now);
      if (this.pongs) this.#outbox.send(flow, Buffer.from("\r\n"));
      return;
    }
    const message = parseMessage(text);
    if (message.kind !== "request") {
      this.heard?.(text);
      return;
    }
    this.requests.push(message);
    const habit = this.habits[message.method] ?? this.habits["*"];
    for (const reply of habit?.(message, now) ?? this.yes(message)) {
      const response = responseTo(message, reply.status, undefined, `at-${this.address}`);
      for (const [name, value] of Object.entries(reply.headers ?? {})) {
        response.headers.set(name, value);
      }
      response.body = reply.body ?? "";
      const due = now + (reply.afterMs ?? 0);
      this.#later.push({ due, flow, text: printMessage(response) });
    }
    this.elapsed(now);
  }

  elapsed(now: Instant): void {
    const due = this.#later.filter((one) => one.due <= now);
    this.#later = this.#later.filter((one) => one.due > now);
    for (const { flow, text } of due) {
      this.#outbox.send(flow, Buffer.from(text, "latin1"));
      if (this.hangsUp) this.#outbox.close(flow);
    }
  }

  get deadline(): Instant {
    return this.#later.reduce((least, one) => Math.min(least, one.due), NEVER);
  }

  deliver(world: World): void {
    this.#outbox.deliver(world);
  }

  /** 200 with what each method needs: a registrar's Contact, a callee's with audio. */
  yes(request: Request): readonly Reply[] {
    const contact = request.headers.get("contact");
    if (request.method === "ACK") return [];
    if (request.method === "REGISTER") {
      const expires = request.headers.get("expires") ?? "3600";
      const stands = expires !== "0" && contact !== undefined;
      return [{ status: 200, headers: stands ? { contact: `${contact};expires=${expires}` } : {} }];
    }
    const callee = { contact: `<sip:callee@${this.address}:5060>` };
    if (request.method !== "INVITE") return [{ status: 200, headers: callee }];
    return [{ status: 200, headers: { ...callee, "content-type": "application/sdp" }, body: SDP }];
  }
}

/** A callee that takes G.711 where nobody listens. */
const SDP = [
  "v=0",
  "o=callee 1 1 IN IP4 192.0.2.99",
  "s=-",
  "c=IN IP4 192.0.2.99",
  "t=0 0",
  "m=audio 40000 RTP/AVP 0 8",
  "a=sendrecv",
  "",
].join("\r\n");
