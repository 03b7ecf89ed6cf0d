/**
 * Whichever way a registrar takes with a REGISTER, what it answers, stores and tells is the same: at once where its
 * store answers so, in an inquiry where it must wait for it, and reading all anew where it remembers nothing.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { FlowId, Local, Peer, World } from "../../../src/core/machine.ts";
import type { Response } from "../../../src/core/message/message.ts";
import { parseMessage } from "../../../src/core/message/parse.ts";
import { decodeBindings } from "../../../src/core/server/binding.ts";
import { DEFAULT_REGISTRAR_LIMITS } from "../../../src/core/server/registration.ts";
import { SipServer } from "../../../src/core/server/server.ts";
import type { Users } from "../../../src/core/server/users.ts";
import type { StoreRead, StoreWrite, TraceEvent } from "../../../src/core/vocabulary.ts";
import { answerTo } from "./digest-answer.ts";
import { TestStore } from "./store.ts";
import { EPOCH, primitives, users } from "./town.ts";

type StoreQuestion = StoreRead | StoreWrite;

const LISTEN: Local = { transport: "udp", address: "10.0.0.1", port: 5060 };
const URI = "sip:example.com";
const KEY = "aor/alice@example.com";

class Registrar implements World {
  readonly store: TestStore;
  readonly events: TraceEvent[] = [];
  readonly #machine: SipServer;
  readonly #due: (() => void)[] = [];
  #now: number;
  #answer = "";

  constructor(store: TestStore, now: number, atOnce: boolean, known: Users | undefined) {
    this.store = store;
    this.#now = now;
    const configuration = {
      name: "one",
      domains: ["example.com"],
      listen: [LISTEN],
      advertise: undefined,
      role: "working" as const,
      users: known,
      acceptForeign: false,
      limits: DEFAULT_REGISTRAR_LIMITS,
      serviceRoute: "<sip:10.0.0.1;lr>",
      shared: false,
      epochOffset: EPOCH * 1000,
      tracing: false,
    };
    this.#machine = atOnce
      ? new SipServer(configuration, primitives(1), (question) =>
          question.kind === "dns" ? undefined : store.answer(question),
        )
      : new SipServer(configuration, primitives(1));
    this.#machine.start(now);
    this.#settle();
    assert.equal(this.#machine.state, "running");
  }

  /** The answer to a REGISTER at that instant; all that was due before has been done. */
  hear(now: number, peer: Peer, text: string): string {
    for (let at = this.#machine.deadline; at <= now; at = this.#machine.deadline) {
      this.#now = at;
      this.#machine.elapsed(at);
      this.#settle();
    }
    this.#now = now;
    this.#answer = "";
    if (this.#flow(peer)) this.#settle();
    this.#machine.received(now, -peer.port, Buffer.from(text, "latin1"));
    this.#settle();
    return this.#answer;
  }

  readonly #heard = new Set<number>();

  #flow(peer: Peer): boolean {
    if (this.#heard.has(peer.port)) return false;
    this.#heard.add(peer.port);
    this.#machine.opened(this.#now, -peer.port, peer);
    return true;
  }

  #settle(): void {
    this.#machine.deliver(this);
    for (let deed = this.#due.shift(); deed !== undefined; deed = this.#due.shift()) {
      deed();
      this.#machine.deliver(this);
    }
  }

  bind(flow: FlowId, local: Local): void {
    this.#due.push(() => this.#machine.bound(this.#now, flow, local));
  }

  ask(asked: number, question: StoreQuestion): void {
    this.#due.push(() => this.#machine.answered(this.#now, asked, this.store.answer(question)));
  }

  send(_flow: FlowId, bytes: Uint8Array): void {
    assert.equal(this.#answer, "", "two answers to one REGISTER");
    this.#answer = Buffer.from(bytes).toString("latin1");
  }

  report(event: TraceEvent): void {
    this.events.push(event);
  }

  open(): void {}

  close(): void {}
}

const INSTANCE = '+sip.instance="<urn:uuid:00000000-0000-4000-8000-00000000000a>"';

/** Mostly renewals, and whatever they could be taken for. */
const contacts = fc.constantFrom(
  ["Contact: <sip:a@10.0.1.1>"],
  ["Contact: <sip:a@10.0.1.1>"],
  ["Contact: <sip:a@10.0.1.1>;expires=90"],
  ["Contact: <sip:a@10.0.1.1>;q=0.5;expires=70"],
  [`Contact: <sip:a@10.0.1.1:5070>;${INSTANCE};expires=60`],
  [`Contact: <sip:a@10.0.1.1:5070>;${INSTANCE};reg-id=1`],
  [`Contact: <sip:a@10.0.1.1:5071>;${INSTANCE};reg-id=2;expires=80`],
  ["Contact: <sip:a@10.0.1.1>, <sip:a@10.0.1.2>;q=0.1"],
  ["Contact: <sip:a@10.0.1.1>", "Contact: <sip:a@10.0.1.2>"],
  ["Contact: <sip:a@10.0.1.1>;expires=0"],
  ["Contact: <sip:a@10.0.1.1>;expires=5"],
  ["Contact: *", "Expires: 0"],
  [],
);

const step = fc.record({
  user: fc.constantFrom("alice", "alice", "alice", "%61lice", "bob"),
  callId: fc.constantFrom("call-1", "call-1", "call-1", "call-2"),
  lines: fc
    .tuple(
      contacts,
      fc.constantFrom([], [], ["Supported: gruu, path"], ["Supported: path, outbound, gruu"]),
      fc.constantFrom([], [], [], ["Path: <sip:edge.example.com;lr;ob>"]),
      fc.constantFrom([], [], [], ["User-Agent: Phone"], ["Require: path"], ["Require: magic"]),
    )
    .map((parts) => parts.flat()),
  via: fc.constantFrom("10.0.1.1:5070", "10.0.1.1:5070;rport", "10.0.9.9;rport", "edge;keep"),
  port: fc.constantFrom(5070, 5070, 5071),
  rise: fc.constantFrom(1, 1, 1, 1, 0, -1),
  later: fc.constantFrom(0, 1, 20, 40, 100),
  again: fc.constantFrom(false, false, false, true),
  credentials: fc.constantFrom("wonder", "wonder", "wonder", "wrong", ""),
});

type Step = typeof step extends fc.Arbitrary<infer Drawn> ? Drawn : never;

function register(drawn: Step, number: number, cseq: number, authorization: string): string {
  const lines = [
    `REGISTER ${URI} SIP/2.0`,
    `Via: SIP/2.0/UDP ${drawn.via};branch=z9hG4bK${number}`,
    `From: <sip:${drawn.user}@example.com>;tag=1`,
    `To: <sip:${drawn.user}@example.com>`,
    `Call-ID: ${drawn.callId}`,
    `CSeq: ${cseq} REGISTER`,
    ...drawn.lines,
    ...(authorization === "" ? [] : [authorization]),
    "Content-Length: 0",
  ];
  return `${lines.join("\r\n")}\r\n\r\n`;
}

function peerAt(port: number): Peer {
  const { address: localAddress, port: localPort } = LISTEN;
  return { transport: "udp", address: "10.0.1.1", port, localAddress, localPort, listener: 1 };
}

/** Each server has a To tag of its own, and temporary GRUUs are never given twice. */
function comparable(answer: string): string {
  return answer.replace(/temp-gruu="[^"]*"/g, "temp-gruu").replace(/^(To: .*;tag=)\w+/m, "$1");
}

/** Plays the steps, each text made by the first registrar's challenges. @param tell called with each text. */
function play(steps: readonly Step[], tell: (now: number, peer: Peer, text: string) => string) {
  let [now, cseq, count, number] = [1_000, 10, 0, 0];
  let challenge: Response | undefined;
  let last: [peer: Peer, text: string] | undefined;
  for (const drawn of steps) {
    now += drawn.later * 1_000;
    cseq += drawn.rise;
    number += 1;
    count += 1;
    const how = { user: "alice", password: drawn.credentials, count };
    const proves = challenge !== undefined && drawn.credentials !== "";
    const authorization = proves ? answerTo(challenge as Response, "REGISTER", URI, how) : "";
    const fresh: [Peer, string] = [
      peerAt(drawn.port),
      register(drawn, number, cseq, authorization),
    ];
    last = drawn.again && last !== undefined ? last : fresh;
    const message = parseMessage(tell(now, ...last));
    if (message.kind !== "response" || message.status !== 401) continue;
    challenge = message;
    count = 0;
  }
}

for (const known of [undefined, users("alice: wonder\nbob: builder\n")]) {
  const name = known === undefined ? "everybody" : "users with a password";
  test(`a store that answers at once makes no difference to ${name}`, () => {
    const statuses = new Set<string>();
    fc.assert(
      fc.property(fc.array(step, { minLength: 3, maxLength: 15 }), (steps) => {
        const lean = new Registrar(new TestStore(), 0, true, known);
        const asking = new Registrar(new TestStore(), 0, false, known);
        play(steps, (now, peer, text) => {
          const answer = lean.hear(now, peer, text);
          statuses.add(answer.slice(8, 11));
          assert.equal(answer, asking.hear(now, peer, text));
          assert.equal(lean.store.value(KEY), asking.store.value(KEY));
          return answer;
        });
        assert.deepEqual(lean.events, asking.events);
        assert.deepEqual(lean.store.writes, asking.store.writes);
      }),
      { numRuns: 300, seed: 20_261_121 },
    );
    for (const status of known === undefined ? ["200", "420", "423", "500"] : ["200", "401"]) {
      assert.ok(statuses.has(status), status);
    }
  });
}

test("a server that remembers what it wrote answers and stores what one does that was just started", () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 3, maxLength: 15 }), (steps) => {
      const lean = new Registrar(new TestStore(), 0, true, undefined);
      const store = new TestStore();
      play(steps, (now, peer, text) => {
        const answer = lean.hear(now, peer, text);
        const anew = new Registrar(store, now, true, undefined);
        assert.equal(comparable(answer), comparable(anew.hear(now, peer, text)));
        const present = EPOCH + now / 1_000;
        const kept = decodeBindings(lean.store.value(KEY), present);
        assert.deepEqual(kept, decodeBindings(store.value(KEY), present));
        return answer;
      });
    }),
    { numRuns: 200, seed: 20_261_121 },
  );
});
