/** SIPp calls our phone: every corner of the callee's transactions and dialogs. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { AnswerMode } from "../../src/core/phone/phone-config.ts";
import { type Call, Phone } from "../../src/index.ts";
import { needs } from "../support/peers.ts";
import { Sipp } from "../support/sipp.ts";
import { type Told, Witness } from "../support/witness.ts";
import { SippStage } from "./sipp-stage.ts";

/** So that 64·T1 is 3.2 s: where SIPp expects any number of repetitions. */
const SHORT_T1_MS = 50;

interface Setting {
  readonly transport: "udp" | "tcp";
  readonly answer: AnswerMode;
  readonly t1Ms: number;
  readonly t2Ms: number;
}

/** One phone and one SIPp that calls it. */
interface Stage {
  readonly phone: Phone;
  readonly witness: Witness;
  /** The call that came in. */
  readonly call: Promise<Call>;
}

interface Corner {
  readonly claim: string;
  readonly scenario: string;
  readonly over?: readonly ("udp" | "tcp")[];
  readonly setting?: Partial<Setting>;
  /** What our side does meanwhile. */
  readonly deed?: (stage: Stage) => Promise<void>;
  /** What is told of calls, in order. */
  readonly calls: readonly string[];
  readonly check?: (witness: Witness) => void;
}

/** T1 is long: what is repeated because this machine is slow would confuse SIPp. */
const STANDARD = { answer: "auto", t1Ms: 2000, t2Ms: 4000 } as const;
const RINGS: Partial<Setting> = { answer: "ring" };
const BOTH = ["udp", "tcp"] as const;
const WHOLE = ["call.started", "call.answered", "call.ended why=peer-hung-up"];
const RUNG = ["call.started", "call.ringing", "call.answered", "call.ended why=peer-hung-up"];
const CANCELLED = ["call.started", "call.ringing", "call.ended why=cancelled"];

const CORNERS: readonly Corner[] = [
  {
    claim: "a lost ACK: the 200 comes again at T1, doubling, until it is there (R15)",
    scenario: "called-ack-lost",
    over: BOTH,
    setting: { t1Ms: 200 },
    calls: WHOLE,
    check: (witness) => {
      const sent = accepted(witness);
      assert.equal(sent.length, 4);
      assertSpacing(sent, [200, 400, 800]);
    },
  },
  {
    claim:
      "no ACK at all: the 200 comes again T1..T2, and after 64·T1 the call ends with BYE (R15)",
    scenario: "called-ack-never",
    setting: { t1Ms: SHORT_T1_MS, t2Ms: 4 * SHORT_T1_MS },
    calls: ["call.started", "call.answered", "call.ended why=unacknowledged"],
    check: (witness) => {
      const sent = accepted(witness);
      const [bye] = witness.messages("sent", "BYE");
      assert.ok(sent.length > 10 && sent.length <= 19, `${sent.length} times`);
      assertSpacing(sent.slice(0, 5), [
        SHORT_T1_MS,
        2 * SHORT_T1_MS,
        4 * SHORT_T1_MS,
        4 * SHORT_T1_MS,
      ]);
      assert.ok((bye as Told).at - (sent[0] as Told).at >= 60 * SHORT_T1_MS);
    },
  },
  {
    claim: "an INVITE repeated after its 200 makes no second call and is not refused (R56)",
    scenario: "called-invite-again",
    over: BOTH,
    calls: WHOLE,
  },
  {
    claim: "a repeated BYE is answered again, and ends the call once (R41)",
    scenario: "called-bye-again",
    calls: WHOLE,
  },
  {
    claim: "CANCEL that crosses the 200 is answered and changes nothing",
    scenario: "called-cancel-crosses",
    over: BOTH,
    calls: WHOLE,
  },
  {
    claim: "CANCEL while it rings: 487, said again while its ACK is lost (R38, R40)",
    scenario: "called-cancelled",
    setting: RINGS,
    deed: rings,
    calls: CANCELLED,
  },
  {
    claim: "CANCEL while it rings, over a connection: the 487 is said once (R40)",
    scenario: "called-cancelled-stream",
    over: ["tcp"],
    setting: RINGS,
    deed: rings,
    calls: CANCELLED,
  },
  {
    claim: "INVITE before the first is answered: 500 with Retry-After (R17)",
    scenario: "called-overlap",
    over: BOTH,
    setting: RINGS,
    deed: rings,
    calls: CANCELLED,
  },
  {
    claim: "INVITEs that cross inside a call: 491 both ways, and ours comes again (R16, R17)",
    scenario: "called-glare",
    deed: async ({ call }) => {
      const answered = await call;
      await answered.answered;
      await answered.hold();
    },
    calls: ["call.started", "call.answered", "call.held by=us", "call.ended why=peer-hung-up"],
  },
  {
    claim: "a lower CSeq inside the dialog: 500, and the call goes on (R12)",
    scenario: "called-low-cseq",
    calls: WHOLE,
  },
  {
    claim: "the same INVITE by another way: 482, and the phone rings once (R8)",
    scenario: "called-merged",
    setting: RINGS,
    deed: rings,
    calls: CANCELLED,
  },
  {
    claim: "Require of the unknown: 420 with its name, and nobody is disturbed (R7)",
    scenario: "called-require",
    over: BOTH,
    calls: [],
  },
  { claim: "BYE in no dialog: 481", scenario: "called-bye-unknown", over: BOTH, calls: [] },
  {
    claim: "100rel required, PRACK lost: the 180 comes again, once acknowledged no more (R61)",
    scenario: "called-reliable",
    setting: { ...RINGS, t1Ms: 500 },
    over: BOTH,
    deed: async ({ call, witness }) => {
      const ringing = await call;
      await acknowledged(witness);
      await ringing.answer();
    },
    calls: RUNG,
  },
  {
    claim: "100rel required and no PRACK ever: 500 after 64·T1 (R61)",
    scenario: "called-reliable-never",
    setting: { ...RINGS, t1Ms: SHORT_T1_MS },
    deed: rings,
    calls: ["call.started", "call.ringing", "call.ended why=unacknowledged"],
    check: (witness) => {
      const rung = witness.messages("sent", "SIP/2.0 180");
      assert.ok(rung.length >= 5 && rung.length <= 7, `${rung.length} times`);
      assertSpacing(rung.slice(0, 4), [SHORT_T1_MS, 2 * SHORT_T1_MS, 4 * SHORT_T1_MS]);
    },
  },
  {
    claim: "UPDATE with an offer before the answer: 500 with Retry-After; after it, it holds (R62)",
    scenario: "called-update",
    over: BOTH,
    setting: RINGS,
    deed: async ({ call, witness }) => {
      const ringing = await call;
      await acknowledged(witness);
      await ringing.answer();
    },
    calls: [...RUNG.slice(0, 3), "call.held by=peer", ...RUNG.slice(3)],
  },
  {
    claim: "a session interval below 90 s: 422 with Min-SE (R120)",
    scenario: "called-brief",
    calls: [],
  },
  {
    claim: "an INVITE without offer gets one in the 200",
    scenario: "called-offerless",
    over: BOTH,
    calls: WHOLE,
  },
  {
    claim: "a busy phone: 486, and it tells whom it refused",
    scenario: "called-busy",
    setting: { answer: "busy" },
    calls: ["call.refused why=busy status=486"],
  },
];

describe("SIPp calls our phone", { ...needs("sipp", "tshark"), concurrency: 6 }, () => {
  const stage = new SippStage(71, 101);

  for (const corner of CORNERS) {
    for (const transport of corner.over ?? ["udp"]) {
      test(`${corner.claim} [${transport}]`, async () => {
        const setting = { transport, ...STANDARD, ...corner.setting };
        await play(stage, corner, setting as Setting);
      });
    }
  }
});

async function play(stage: SippStage, corner: Corner, setting: Setting): Promise<void> {
  const { transport, answer, t1Ms, t2Ms } = setting;
  const { household } = stage;
  const [ours, theirs] = stage.pair();
  const phone = new Phone({
    ...{ user: "phone", bind: ours, port: 5060, trace: true, answer, register: false },
    servers: { address: theirs, port: 5060, transport },
    redundancy: { t1Ms, t2Ms },
  });
  const witness = new Witness(phone);
  const call = new Promise<Call>((resolve) => void phone.once("call", resolve));
  try {
    await phone.start();
    const { scenario } = corner;
    const sipp = new Sipp(household, { scenario, address: theirs, to: ours, transport });
    const deed = corner.deed?.({ phone, witness, call });
    await sipp.passed();
    await deed;
  } finally {
    await phone.stop();
  }
  assert.deepEqual(witness.calls, corner.calls);
  corner.check?.(witness);
}

/** Somebody hears it ring. */
async function rings({ call }: Stage): Promise<void> {
  await call;
}

/** The peer has said so much that it waits for the call to be answered. */
async function acknowledged(witness: Witness): Promise<void> {
  while (
    !witness.texts("sent", "SIP/2.0 200").some((text) => /^CSeq: \d+ (PRACK|UPDATE)/m.test(text))
  ) {
    await witness.until("message.sent", witness.all("message.sent").length + 1);
  }
}

/** Each time the INVITE was accepted. */
function accepted(witness: Witness): Told[] {
  return witness.messages("sent", "SIP/2.0 200").filter(({ data }) => {
    return /^CSeq: 1 INVITE/m.test(Buffer.from(String(data), "base64").toString("latin1"));
  });
}

/** From the first to the last at least so much, within what telling it takes: under load it may be more. */
function assertSpacing(told: readonly Told[], spacing: readonly number[]): void {
  const least = spacing.reduce((sum, gap) => sum + gap, 0);
  const took = (told[spacing.length] as Told).at - (told[0] as Told).at;
  assert.ok(took >= 0.7 * least, `${took} ms from the first to number ${spacing.length + 1}`);
}
