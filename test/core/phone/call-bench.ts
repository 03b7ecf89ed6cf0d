/**
 * Two phones' worth of calls joined by an ideal network in virtual time: requests and responses cross as text in 5 ms,
 * audio as packets in 5 ms. Tests take the place of the failover engine: they may script what becomes of a request.
 */
import assert from "node:assert/strict";
import type { FlowId, Instant } from "../../../src/core/machine.ts";
import { type AudioSource, tone } from "../../../src/core/media/tones.ts";
import { cseqOf } from "../../../src/core/message/cseq.ts";
import type { Message, Request, Response } from "../../../src/core/message/message.ts";
import { parseMessage } from "../../../src/core/message/parse.ts";
import { printMessage, responseTo } from "../../../src/core/message/print.ts";
import type { Call } from "../../../src/core/phone/call.ts";
import type {
  CallEnvironment,
  DialogWay,
  Field,
} from "../../../src/core/phone/call-environment.ts";
import { Composer } from "../../../src/core/phone/composer.ts";
import { SharedTerms } from "../../../src/core/phone/outbound.ts";
import { PhoneCalls, type PhoneCallsHost } from "../../../src/core/phone/phone-calls.ts";
import type { AnswerMode } from "../../../src/core/phone/phone-config.ts";
import { CALL_DEFAULTS, type CallPolicy } from "../../../src/core/redundancy/call-policy.ts";
import type { RedundancyPolicy } from "../../../src/core/redundancy/policy.ts";
import { defaultAccount, defaultPolicy } from "../../../src/core/redundancy/policy-defaults.ts";
import type { AttemptPlace, RequestUser } from "../../../src/core/redundancy/request.ts";
import { Timers } from "../../../src/core/timers.ts";
import type { Flow, ServerTransaction } from "../../../src/core/transaction/user.ts";
import { Prng } from "../../../src/worlds/sim/prng.ts";
import { AudioWorld } from "./call-audio.ts";

const LATENCY_MS = 5;

/** A request that one end sent, in the hands of the test or of the network. */
export interface Sent {
  readonly user: RequestUser;
  readonly request: Request;
  readonly way: DialogWay | undefined;
  cancelled: boolean;
  dropped: boolean;
}

export class Bench {
  readonly timers: Timers = new Timers();
  readonly alice: End = new End(this, "alice", "192.0.2.1");
  readonly bob: End = new End(this, "bob", "192.0.2.2");
  now: Instant = 0;
  #queue: { at: Instant; act: () => void }[] = [];

  /** Alice calls bob, who answers at once; both talk. */
  connect(): { caller: Call; callee: Call } {
    const caller = this.alice.dial("bob");
    this.run(100);
    const callee = this.bob.calls.current;
    assert.ok(callee);
    assert.equal(caller.state, "confirmed");
    assert.equal(callee.state, "confirmed");
    return { caller, callee };
  }

  other(end: End): End {
    return end === this.alice ? this.bob : this.alice;
  }

  later(act: () => void, ms: number = LATENCY_MS): void {
    const at = this.now + ms;
    const index = this.#queue.findIndex((entry) => entry.at > at);
    this.#queue.splice(index < 0 ? this.#queue.length : index, 0, { at, act });
  }

  /** Lets so many milliseconds pass. */
  run(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const [first] = this.#queue;
      const next = Math.min(first?.at ?? Number.POSITIVE_INFINITY, this.timers.deadline);
      if (next > end) break;
      this.now = next;
      if (first !== undefined && first.at <= next) {
        this.#queue.shift();
        first.act();
      } else {
        this.timers.elapsed(next);
      }
    }
    this.now = end;
  }
}

/** What crosses the network is text, so that both ends see only what was said. */
function crossed<Kind extends Message>(message: Kind): Kind {
  const read = parseMessage(printMessage(message));
  assert.notEqual(read.kind, "malformed", `${printMessage(message)} ${JSON.stringify(read)}`);
  return read as Kind;
}

/** One phone with one account, the environment of all its calls. */
export class End implements CallEnvironment, PhoneCallsHost {
  readonly name: string;
  readonly address: string;
  readonly policy: RedundancyPolicy = defaultPolicy("192.0.2.10");
  /** Replaced by tests of RFC 3262 and RFC 4028. */
  callPolicy: CallPolicy = CALL_DEFAULTS;
  readonly composer: Composer;
  readonly entropy: Prng;
  readonly calls: PhoneCalls = new PhoneCalls(this);
  /** `call.ended why=hung-up …`, without ids and figures. */
  readonly events: string[] = [];
  /** Every request and ACK sent, oldest first. */
  readonly sent: Sent[] = [];
  readonly acks: Request[] = [];
  /** Responses this end has sent. */
  readonly responses: Response[] = [];
  mode: AnswerMode = "auto";
  takesCalls = true;
  mediaAddress: string;
  recordedSamples = 0;
  /** Takes a request out of the network's hands: true if the test will say what becomes of it. */
  script: (sent: Sent) => boolean = () => false;
  /** Signalling from here is lost. */
  mute = false;
  /** What comes here comes from no server of the account. */
  amongStrangers = false;
  readonly world: AudioWorld;
  readonly #bench: Bench;

  constructor(bench: Bench, name: string, address: string) {
    this.#bench = bench;
    this.world = new AudioWorld(bench, address, () => bench.other(this).world);
    this.name = name;
    this.address = address;
    this.mediaAddress = address;
    this.mediaAddress = address;
    this.entropy = new Prng(name.length, 7);
    const account = defaultAccount(name, this.policy, { domain: "lab.test" });
    this.composer = new Composer(account, {
      terms: new SharedTerms(),
      entropy: this.entropy,
      userAgent: "test",
      instance: "urn:x",
      listeningPort: (peer) => peer.localPort,
    });
  }

  get register(): PhoneCalls {
    return this.calls;
  }

  get timers(): Timers {
    return this.#bench.timers;
  }

  get sender(): AudioWorld {
    return this.world;
  }

  /** The flow to the one server between both ends. */
  get flow(): Flow {
    const peer = {
      transport: "udp",
      address: "192.0.2.10",
      port: 5060,
      localAddress: this.address,
      localPort: 5060,
      listener: 0,
    } as const;
    return { id: 1, peer, late: false, heardAt: this.#bench.now };
  }

  get place(): AttemptPlace {
    const target = { transport: "udp", address: "192.0.2.10", port: 5060 } as const;
    const [hop] = this.policy.servers;
    assert.ok(hop);
    const expiresAt = Number.POSITIVE_INFINITY;
    return { server: 1, hop, target, expiresAt, flow: this.flow, since: this.#bench.now };
  }

  get methods(): string[] {
    return this.sent.map(({ request }) => request.method);
  }

  get statuses(): number[] {
    return this.responses.map(({ status }) => status);
  }

  get lastResponse(): Response {
    return this.responses.at(-1) as Response;
  }

  get lastSent(): Sent {
    return this.sent.at(-1) as Sent;
  }

  dial(to: string): Call {
    return this.calls.place(this, to);
  }

  get answerMode(): AnswerMode {
    return this.mode;
  }

  environmentFor(): CallEnvironment {
    return this;
  }

  becameIdle(): void {
    this.events.push("idle");
  }

  talks(): void {}

  audioSource(): AudioSource {
    return tone();
  }

  server(index: number): (typeof this.policy.servers)[number] {
    const server = this.policy.servers[index - 1];
    assert.ok(server);
    return server;
  }

  isServer(): boolean {
    return !this.amongStrangers;
  }

  send(now: Instant, user: RequestUser, cseq: number): Sent & SentHandle {
    return this.#send(now, user, cseq, undefined);
  }

  sendInDialog(now: Instant, user: RequestUser, cseq: number, way: DialogWay): Sent & SentHandle {
    return this.#send(now, user, cseq, way);
  }

  acknowledge(_now: Instant, _way: DialogWay, compose: (flow: Flow) => Request): void {
    const ack = compose(this.flow);
    this.acks.push(ack);
    if (this.mute) return;
    const other = this.#bench.other(this);
    this.#bench.later(() => other.calls.acknowledged(this.#bench.now, crossed(ack)));
  }

  report(event: string, fields: Readonly<Record<string, Field>>): void {
    const told = ["why", "status", "to", "direction", "by", "codec", "remote", "kept", "key"]
      .filter((name) => fields[name] !== undefined)
      .map((name) => `${name}=${fields[name]}`);
    this.events.push([event, ...told].join(" "));
  }

  /** A request arrives that this end's peer made by hand. */
  arrive(request: Request): Transaction {
    const transaction = new Transaction(crossed(request), (response) => {
      this.responses.push(response);
    });
    this.#serve(transaction);
    return transaction;
  }

  #send(
    _now: Instant,
    user: RequestUser,
    cseq: number,
    way: DialogWay | undefined,
  ): Sent & SentHandle {
    const request = user.compose(this.place, cseq);
    const bench = this.#bench;
    const sent: Sent & SentHandle = {
      user,
      request,
      way,
      cancelled: false,
      dropped: false,
      cancel: (now) => {
        sent.cancelled = true;
        if (this.mute) return;
        const other = bench.other(this);
        if (transaction === undefined) user.failed(now, { why: "cancelled" });
        else bench.later(() => other.calls.cancelled(bench.now, transaction as Transaction));
      },
      drop: () => {
        sent.dropped = true;
      },
    };
    let transaction: Transaction | undefined;
    this.sent.push(sent);
    if (this.script(sent) || this.mute) return sent;
    transaction = this.#carry(sent);
    return sent;
  }

  /** Hands a request to the other end, and its responses back. */
  #carry(sent: Sent): Transaction {
    const bench = this.#bench;
    const other = bench.other(this);
    let concluded = false;
    const transaction = new Transaction(crossed(sent.request), (response) => {
      other.responses.push(response);
      if (other.mute) return;
      bench.later(() => {
        const read = crossed(response);
        const place = this.place;
        if (sent.dropped) return;
        if (response.status < 200) sent.user.provisional(bench.now, read, place);
        else if (!concluded) {
          concluded = true;
          sent.user.final(bench.now, read, place, sent.request);
        } else sent.user.repeated(bench.now, read, place, sent.request);
      });
    });
    bench.later(() => other.#serve(transaction));
    return transaction;
  }

  #serve(transaction: Transaction): void {
    this.calls.requested(this.#bench.now, transaction, this.flow);
  }
}

export interface SentHandle {
  cancel(now: Instant): void;
  drop(): void;
}

export class Transaction implements ServerTransaction {
  readonly request: Request;
  readonly flow: FlowId = 1;
  readonly #responded: (response: Response) => void;

  constructor(request: Request, responded: (response: Response) => void) {
    this.request = request;
    this.#responded = responded;
  }

  respond(_now: Instant, response: Response): void {
    this.#responded(response);
  }
}

/** `INVITE 1`, `BYE 2` … of requests. */
export function turns(requests: readonly Request[]): string[] {
  return requests.map(({ headers, method }) => `${method} ${cseqOf(headers)?.number}`);
}

/** The direction that a body of SDP states. */
export function directionOf(body: string): string | undefined {
  return /^a=(sendrecv|sendonly|recvonly|inactive)\r$/m.exec(body)?.[1];
}

/** A request of alice's inside the call, made by hand. */
export function inside(
  bench: Bench,
  method: string,
  cseq: number,
  ...lines: [string, string][]
): Request {
  const [invite] = bench.alice.sent;
  const [ack] = bench.alice.acks;
  assert.ok(invite && ack);
  const request: Request = { ...ack, method, headers: ack.headers.copy(), body: "" };
  request.headers.set("cseq", `${cseq} ${method}`);
  for (const [name, value] of lines) request.headers.set(name, value);
  return request;
}

/** Lets the test answer what alice sends from now on. */
export function scripted(bench: Bench): Sent[] {
  const taken: Sent[] = [];
  bench.alice.script = (sent) => {
    taken.push(sent);
    return true;
  };
  return taken;
}

/** The one request taken. */
export function only(taken: Sent[]): Sent {
  assert.equal(taken.length, 1);
  return taken[0] as Sent;
}

/** Lets alice's request be answered with a bare response. */
export function answer(bench: Bench, sent: Sent, status: number): void {
  const response = responseTo(sent.request, status);
  sent.user.final(bench.now, response, bench.alice.place, sent.request);
}

/** Who held whom, of all that was told. */
export function holds(events: readonly string[]): string[] {
  return events.filter(
    (event) => event.startsWith("call.held") || event.startsWith("call.resumed"),
  );
}

/** I8: no timer, call, dialog or flow is left. */
export function nothingLeft(bench: Bench): void {
  assert.equal(bench.timers.size, 0);
  for (const end of [bench.alice, bench.bob]) {
    assert.equal(end.calls.size, 0);
    assert.equal(end.world.size, 0);
    assert.equal(end.calls.idle, true);
  }
}
