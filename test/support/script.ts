/**
 * Drives one Machine by a script in virtual time and writes down, as a ladder, each intention at its instant. A test
 * tells facts and compares the transcript, whole, with the one it expects.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type {
  FlowId,
  Instant,
  Local,
  LossCause,
  Machine,
  Peer,
  Target,
  World,
} from "../../src/core/machine.ts";
import type { Primitives } from "../../src/core/primitives.ts";
import type { Answer, Question, TraceEvent } from "../../src/core/vocabulary.ts";

/** Counts up, so that branches and tags are the same in each run: 1, 2, 3 … in base 36. */
export function countingPrimitives(): Primitives {
  let drawn = 0;
  return {
    entropy: {
      uint32(): number {
        drawn += 1;
        return drawn;
      },
    },
    hash: {
      md5: (text) => createHash("md5").update(text, "latin1").digest("hex"),
      sha256: (text) => createHash("sha256").update(text, "latin1").digest("hex"),
    },
    bytes: {
      toText: (bytes) => Buffer.from(bytes).toString("latin1"),
      fromText: (text) => Buffer.from(text, "latin1"),
    },
  };
}

/** Shows the bytes of one send or receive in one line. */
export type Caption = (text: string) => string;

export class Script {
  now: Instant = 0;
  /** Every packet sent, as text, oldest first. */
  readonly sent: { readonly at: Instant; readonly flow: FlowId; readonly text: string }[] = [];
  readonly questions: { readonly asked: number; readonly question: Question }[] = [];
  readonly #machine: Machine;
  readonly #caption: Caption;
  /** Writes intentions down; a machine without an outbox of its own may act on it directly. */
  readonly world: World;
  #lines: string[] = [];
  #arrived: FlowId = 0;

  constructor(machine: Machine, caption: Caption = startLine) {
    this.#machine = machine;
    this.#caption = caption;
    this.world = new Recorder(this, caption);
  }

  // What happens.

  /** Lets time pass until `instant`, ringing what is due on the way. */
  until(instant: Instant): this {
    while (this.#machine.deadline <= instant) {
      this.now = Math.max(this.now, this.#machine.deadline);
      this.#machine.elapsed(this.now);
      this.#machine.deliver(this.world);
    }
    this.now = instant;
    return this;
  }

  /** Lets time pass until nothing is due any more. */
  finish(): this {
    while (this.#machine.deadline !== Number.POSITIVE_INFINITY) this.until(this.#machine.deadline);
    return this;
  }

  /** Does something to the machine by another door than its facts. */
  do(act: (now: Instant) => void): this {
    act(this.now);
    this.#machine.deliver(this.world);
    return this;
  }

  bound(flow: FlowId, local: Local): this {
    return this.do((now) => this.#machine.bound(now, flow, local));
  }

  open(flow: FlowId, peer: Partial<Peer> = {}): this {
    return this.do((now) => this.#machine.opened(now, flow, peerOf(peer)));
  }

  /** A flow that a peer begins; numbered -1, -2 … */
  arrive(peer: Partial<Peer> = {}): FlowId {
    this.#arrived -= 1;
    this.open(this.#arrived, peer);
    return this.#arrived;
  }

  receive(flow: FlowId, text: string): this {
    this.note(`${flow} ◀── ${this.#caption(text)}`);
    return this.do((now) => this.#machine.received(now, flow, Buffer.from(text, "latin1")));
  }

  lose(flow: FlowId, cause: LossCause): this {
    this.note(`${flow} ✕ ${cause}`);
    return this.do((now) => this.#machine.lost(now, flow, cause));
  }

  answer(asked: number, answer: Answer): this {
    return this.do((now) => this.#machine.answered(now, asked, answer));
  }

  // What it leads to.

  /** Everything since the last call, one line each, as `seconds  what`. */
  take(): string[] {
    const lines = this.#lines;
    this.#lines = [];
    return lines;
  }

  /** Compares everything since the last call with the lines of `expected`, indentation aside. */
  expect(expected: string): this {
    const lines = expected.split("\n").map((line) => line.trim());
    assert.deepEqual(
      this.take(),
      lines.filter((line) => line !== ""),
    );
    return this;
  }

  /** Adds a line of the test's own. */
  note(what: string): void {
    this.#lines.push(`${(this.now / 1000).toFixed(1)} ${what}`);
  }

  /** The text sent last. */
  get lastSent(): string {
    return this.sent.at(-1)?.text ?? "";
  }
}

/** Writes down each intention of the machine. */
class Recorder implements World {
  readonly #script: Script;
  readonly #caption: Caption;

  constructor(script: Script, caption: Caption) {
    this.#script = script;
    this.#caption = caption;
  }

  bind(flow: FlowId, local: Local): void {
    this.#script.note(`bind ${flow} ${local.transport}:${local.address}:${local.port}`);
  }

  open(flow: FlowId, target: Target): void {
    const { transport, address, port } = target;
    this.#script.note(`open ${flow} ${transport}:${address}:${port}`);
  }

  send(flow: FlowId, bytes: Uint8Array): void {
    const text = Buffer.from(bytes).toString("latin1");
    this.#script.sent.push({ at: this.#script.now, flow, text });
    this.#script.note(`${flow} ──▶ ${this.#caption(text)}`);
  }

  close(flow: FlowId): void {
    this.#script.note(`close ${flow}`);
  }

  ask(asked: number, question: Question): void {
    this.#script.questions.push({ asked, question });
    this.#script.note(`ask ${asked} ${question.kind}`);
  }

  report(event: TraceEvent): void {
    const fields = Object.entries(event).filter(([name]) => name !== "event");
    const shown = fields.map(([name, value]) => `${name}=${value}`);
    this.#script.note([`* ${event.event}`, ...shown].join(" "));
  }
}

/** The start line; what only keeps a flow alive is shown escaped. */
export function startLine(text: string): string {
  if (text.trim() === "") return JSON.stringify(text);
  const line = text.split("\r\n", 1)[0] ?? "";
  return line.replace(/ ?SIP\/2\.0 ?/, "");
}

/** The value of a header that a message has once, under its long name. */
export function headerOf(text: string, name: string): string {
  const line = text.split("\r\n").find((l) => l.toLowerCase().startsWith(`${name}:`));
  return line === undefined ? "" : line.slice(name.length + 1).trim();
}

/** A SIP message from its lines, Content-Length added. */
export function message(lines: string[], body = ""): string {
  return `${[...lines, `Content-Length: ${body.length}`].join("\r\n")}\r\n\r\n${body}`;
}

/** What a peer would answer to `request`, with a To tag but for 100. */
export function answerTo(
  request: string,
  status: number,
  reason = "Whatever",
  tag = "peer",
): string {
  const copied = request
    .split("\r\n")
    .filter((line) => /^(via|from|to|call-id|cseq):/i.test(line))
    .map((line) => (/^to:/i.test(line) && status > 100 ? withTag(line, tag) : line));
  return message([`SIP/2.0 ${status} ${reason}`, ...copied]);
}

function withTag(to: string, tag: string): string {
  return to.includes(";tag=") ? to : `${to};tag=${tag}`;
}

function peerOf(peer: Partial<Peer>): Peer {
  return {
    transport: "udp",
    address: "127.0.0.13",
    port: 5060,
    localAddress: "127.0.0.1",
    localPort: 5070,
    listener: 0,
    ...peer,
  };
}
