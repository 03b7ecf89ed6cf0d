/**
 * A whole machine, server or phone, under a peer that sends anything: damaged requests, damaged answers to what the
 * machine itself sent, streams cut anywhere, flows that come and go, time that jumps. Nothing may throw, nothing may
 * be left behind, and no secret may go out.
 */
import assert from "node:assert/strict";
import {
  type FlowId,
  type Instant,
  type Local,
  type LossCause,
  type Machine,
  NEVER,
  type Opening,
  type Peer,
  type Target,
  type TransportName,
  type World,
} from "../../src/core/machine.ts";
import type { Answer, Question } from "../../src/core/vocabulary.ts";
import type { Prng } from "../support/prng.ts";
import { CORPUS, damaged } from "./damage.ts";

/** Flows that are open at a time. */
const MOST_FLOWS = 40;
/** Requests of the machine that may still be answered. */
const MOST_SENT = 30;
/** Bytes that no machine may ever send. */
const SECRETS = /5ecret-pa55word|stored-5ecret/;
const TRANSPORTS: readonly TransportName[] = ["udp", "udp", "tcp", "tls", "ws", "wss"];
const CAUSES: readonly LossCause[] = ["refused", "reset", "closed", "timeout", "idle", "failed"];

type Fact = (now: Instant) => void;

export class MachineTrial implements World {
  readonly machine: Machine;
  now: Instant = 0;
  /** Bytes in and out. */
  heard = 0;
  said = 0;
  readonly #prng: Prng;
  readonly #flows = new Map<FlowId, TransportName>();
  readonly #listeners = new Map<FlowId, Local>();
  readonly #store = new Map<string, { value: string | undefined; version: number }>();
  readonly #sent: { readonly flow: FlowId; readonly text: string }[] = [];
  #due: Fact[] = [];
  #arrived: FlowId = 0;

  constructor(machine: Machine, prng: Prng) {
    this.machine = machine;
    this.#prng = prng;
  }

  /** Runs something of the machine's, and all that follows from it at once. */
  run(deed: Fact): void {
    deed(this.now);
    this.machine.deliver(this);
    for (let facts = this.#due; facts.length > 0; facts = this.#due) {
      this.#due = [];
      for (const fact of facts) {
        fact(this.now);
        this.machine.deliver(this);
      }
    }
  }

  /** Something happens. `whole` are messages of its own kind that the machine knows how to deal with. */
  step(whole: readonly string[]): void {
    const prng = this.#prng;
    const draw = prng.below(100);
    if (draw < 4) this.pass(prng.below(40_000));
    else if (draw < 6) this.#lose(prng.pick([...this.#flows.keys(), 0]));
    else if (draw < 12 || this.#flows.size === 0) this.#arrive();
    else if (draw < 60) this.#hear(prng.pick([...this.#flows.keys()]), this.#request(whole));
    else this.#answer();
  }

  /** Every flow ends, and so much time passes that everything must have been forgotten. */
  settle(): void {
    for (const flow of [...this.#flows.keys()]) this.#lose(flow);
    this.pass(4 * 3_600_000);
    this.#sent.length = 0;
    this.#store.clear();
  }

  pass(ms: number): void {
    const end = this.now + ms;
    while (this.machine.deadline <= end) {
      this.now = Math.max(this.now, this.machine.deadline);
      this.run((now) => this.machine.elapsed(now));
    }
    this.now = end;
  }

  // World

  bind(flow: FlowId, local: Local): void {
    const port = local.port === 0 ? 10_000 + flow : local.port;
    this.#listeners.set(flow, local);
    this.#due.push((now) => this.machine.bound(now, flow, { ...local, port }));
  }

  open(flow: FlowId, target: Target, { from }: Opening): void {
    if (this.#prng.below(4) === 0 || this.#flows.size >= MOST_FLOWS) {
      this.#due.push((now) => this.machine.lost(now, flow, this.#prng.pick(CAUSES)));
      return;
    }
    const { transport, address, port } = target;
    this.#flows.set(flow, transport);
    const peer = { transport, address, port, localAddress: "192.0.2.1", localPort: 5060 };
    this.#due.push((now) => {
      if (this.#flows.has(flow)) this.machine.opened(now, flow, { ...peer, listener: from });
    });
  }

  send(flow: FlowId, bytes: Uint8Array): void {
    const text = Buffer.from(bytes).toString("latin1");
    this.said += text.length;
    assert.equal(SECRETS.test(text), false, `a secret went out: ${text}`);
    if (text.length < 20 || text.startsWith("SIP/2.0")) return;
    this.#sent.push({ flow, text });
    if (this.#sent.length > MOST_SENT) this.#sent.shift();
  }

  close(flow: FlowId): void {
    this.#flows.delete(flow);
    this.#listeners.delete(flow);
  }

  ask(asked: number, question: Question): void {
    const answer = this.#reply(question);
    this.#due.push((now) => this.machine.answered(now, asked, answer));
  }

  report(): void {
    // What a machine tells its operator is not at issue here.
  }

  #reply(question: Question): Answer {
    if (question.kind === "dns") return { kind: "none", ttl: 60 };
    const entry = this.#store.get(question.key) ?? { value: undefined, version: 0 };
    if (this.#prng.below(200) === 0) return { kind: "unavailable", why: "fuzz" };
    if (question.kind === "store.read") {
      // The server's own secret is one that this trial can recognise.
      const value = question.key.includes("secret") ? "stored-5ecret".repeat(4) : entry.value;
      return {
        kind: "stored",
        value,
        version: Math.max(entry.version, value === undefined ? 0 : 1),
      };
    }
    if (question.ifVersion !== entry.version) return { kind: "conflict" };
    const version = entry.version + 1;
    this.#store.set(question.key, { value: question.value, version });
    return { kind: "written", version };
  }

  #arrive(): void {
    if (this.#flows.size >= MOST_FLOWS) return;
    const [listener, local] = this.#prng.pick([...this.#listeners]) ?? [0, undefined];
    if (local === undefined) return;
    const transport = local.transport === "rtp" ? "rtp" : this.#prng.pick(TRANSPORTS);
    this.#arrived -= 1;
    const flow = this.#arrived;
    this.#flows.set(flow, transport);
    const peer: Peer = {
      transport,
      address: this.#prng.below(3) === 0 ? "2001:db8::9" : "198.51.100.7",
      port: 1024 + this.#prng.below(60_000),
      localAddress: "192.0.2.1",
      localPort: 5060,
      listener,
    };
    this.run((now) => this.machine.opened(now, flow, peer));
  }

  #lose(flow: FlowId): void {
    if (!this.#flows.delete(flow)) return;
    this.run((now) => this.machine.lost(now, flow, this.#prng.pick(CAUSES)));
  }

  #request(whole: readonly string[]): string {
    const prng = this.#prng;
    const text = prng.below(3) === 0 ? prng.pick(CORPUS) : prng.pick(whole);
    const named = text.replaceAll("BRANCH", prng.uint32().toString(36));
    return prng.below(3) === 0 ? named : damaged(prng, named);
  }

  /** To something the machine has sent: with all its Vias, tags and numbers, and then damaged. */
  #answer(): void {
    const prng = this.#prng;
    if (this.#sent.length === 0) return;
    const { flow, text } = prng.pick(this.#sent);
    if (!this.#flows.has(flow)) return;
    const status = prng.pick([
      100, 180, 183, 200, 202, 301, 302, 401, 407, 408, 423, 481, 486, 500, 503, 603,
    ]);
    const challenge =
      status === 401 || status === 407
        ? `\r\n${status === 401 ? "WWW" : "Proxy"}-Authenticate: Digest realm="r", nonce="${prng.uint32()}", qop="auth"`
        : "";
    const answer = text
      .replace(/^[^\r]*/, `SIP/2.0 ${status} Fuzz${challenge}`)
      .replace(/\r\nTo: ([^\r]*)/i, (line) => (line.includes(";tag=") ? line : `${line};tag=fuzz`));
    this.#hear(flow, prng.below(2) === 0 ? answer : damaged(prng, answer));
  }

  /** Streams in any cuts; the rest of a cut one is whatever comes next on that flow. */
  #hear(flow: FlowId, text: string): void {
    const transport = this.#flows.get(flow);
    const stream = transport === "tcp" || transport === "tls";
    this.heard += text.length;
    let left = text;
    while (left !== "" && this.#flows.has(flow)) {
      const cut = stream ? 1 + this.#prng.below(left.length) : left.length;
      const bytes = Buffer.from(left.slice(0, cut), "latin1");
      this.run((now) => this.machine.received(now, flow, bytes));
      left = left.slice(cut);
      if (stream && this.#prng.below(8) === 0) break;
    }
  }

  /** Whether the machine waits for nothing at all. */
  get quiet(): boolean {
    return this.machine.deadline === NEVER;
  }
}
