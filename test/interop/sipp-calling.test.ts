/** Our phone calls SIPp: every corner of the caller's transactions and dialogs. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Call, Phone } from "../../src/index.ts";
import { needs } from "../support/peers.ts";
import { Sipp } from "../support/sipp.ts";
import { Witness } from "../support/witness.ts";
import { SippStage } from "./sipp-stage.ts";

type Transport = "udp" | "tcp";

interface Stage {
  readonly call: Call;
  readonly witness: Witness;
}

interface Corner {
  readonly claim: string;
  readonly scenario: string;
  readonly over?: readonly Transport[];
  /** Where something is to be repeated. */
  readonly t1Ms?: number;
  readonly deed: (stage: Stage) => Promise<unknown>;
  readonly calls: readonly string[];
  readonly check?: (witness: Witness) => void;
}

const BOTH = ["udp", "tcp"] as const;
/** Long: what is repeated because this machine is slow would confuse SIPp. */
const T1_MS = 2000;
/** 64 of these are 6.4 s; within one of them SIPp must answer, else it hears the INVITE again. */
const SHORT_T1_MS = 100;

const CORNERS: readonly Corner[] = [
  {
    claim: "a call is answered, and we hang up",
    scenario: "calling-answer",
    over: BOTH,
    deed: answeredThenHangup,
    calls: ["call.started", "call.ringing status=180", "call.answered", "call.ended why=hung-up"],
  },
  {
    claim: "a 200 that crosses our CANCEL is acknowledged and ended with BYE (R18, R19)",
    scenario: "calling-late-200",
    over: BOTH,
    deed: rungThenHangup,
    calls: ["call.started", "call.ringing status=180", "call.ended why=hung-up"],
  },
  {
    claim: "a 486 whose ACK was lost is acknowledged each time it comes (R38)",
    scenario: "calling-refuse-again",
    deed: ({ call }) => call.ended,
    calls: ["call.started", "call.ended why=rejected status=486"],
    check: (witness) => assert.equal(witness.messages("sent", "ACK").length, 3),
  },
  {
    claim:
      "100 and then silence: no other server is tried, CANCEL, and 64·T1 later it is over (R19, R69)",
    scenario: "calling-silence-after-100",
    over: BOTH,
    t1Ms: SHORT_T1_MS,
    deed: heardThenHangup,
    calls: ["call.started", "call.ended why=hung-up"],
    check: notFailedOver,
  },
  {
    claim:
      "180 and then silence: no other server is tried, CANCEL, and 64·T1 later it is over (R19, R69)",
    scenario: "calling-silence-after-180",
    t1Ms: SHORT_T1_MS,
    deed: rungThenHangup,
    calls: ["call.started", "call.ringing status=180", "call.ended why=hung-up"],
    check: notFailedOver,
  },
  {
    claim: "each repetition of the 200 is acknowledged, and makes no second call (R14, R56)",
    scenario: "calling-again",
    over: BOTH,
    deed: async ({ call, witness }) => {
      await call.answered;
      await sent(witness, "ACK", 2);
      await call.hangup();
    },
    calls: ["call.started", "call.ringing status=180", "call.answered", "call.ended why=hung-up"],
  },
  {
    claim:
      "two forks answer: the second is acknowledged and ended, the call goes on with the first",
    scenario: "calling-forks",
    over: BOTH,
    deed: async ({ call, witness }) => {
      await call.answered;
      await byeAnswered(witness);
      await call.hangup();
    },
    calls: ["call.started", "call.ringing status=180", "call.answered", "call.ended why=hung-up"],
  },
  {
    claim: "a response with a sent-by that is not ours, or with two Vias, is dropped (R5, R45)",
    scenario: "calling-foreign-via",
    over: BOTH,
    deed: answeredThenHangup,
    calls: ["call.started", "call.ringing status=180", "call.answered", "call.ended why=hung-up"],
    check: (witness) => {
      // Over a connection several may come at once.
      const heard = witness.texts("received", "").join("");
      assert.equal(heard.match(/^SIP\/2\.0 200/gm)?.length, 4);
    },
  },
  {
    claim: "a 183 that must arrive: PRACK until it is answered, one for each number in turn (R61)",
    scenario: "calling-reliable",
    t1Ms: 500,
    deed: answeredThenHangup,
    calls: ["call.started", "call.ringing status=183", "call.answered", "call.ended why=hung-up"],
    check: (witness) => {
      const racks = witness.texts("sent", "PRACK").map((text) => /^RAck: (\d+)/m.exec(text)?.[1]);
      assert.deepEqual([...new Set(racks)], ["5", "6"]);
    },
  },
  {
    claim: "a 183 that must arrive, over a connection (R61)",
    scenario: "calling-reliable-stream",
    over: ["tcp"],
    deed: answeredThenHangup,
    calls: ["call.started", "call.ringing status=183", "call.answered", "call.ended why=hung-up"],
  },
  {
    claim: "302 is followed with the next CSeq, through the same server",
    scenario: "calling-moved",
    over: BOTH,
    deed: answeredThenHangup,
    calls: [
      "call.started",
      "call.redirected status=302",
      "call.answered",
      "call.ended why=hung-up",
    ],
  },
  {
    claim: "481 to our BYE: the call is over all the same (R13)",
    scenario: "calling-bye-unknown",
    over: BOTH,
    deed: answeredThenHangup,
    calls: ["call.started", "call.answered", "call.ended why=hung-up"],
  },
  {
    claim: "BYE is repeated until it is answered (R39)",
    scenario: "calling-bye-late",
    t1Ms: 500,
    deed: answeredThenHangup,
    calls: ["call.started", "call.answered", "call.ended why=hung-up"],
  },
];

describe("our phone calls SIPp", { ...needs("sipp", "tshark"), concurrency: 6 }, () => {
  const stage = new SippStage(72, 101);

  for (const corner of CORNERS) {
    for (const transport of corner.over ?? (["udp"] as const)) {
      test(`${corner.claim} [${transport}]`, async () => {
        await play(stage, corner, transport);
      });
    }
  }

  for (const [claim, note, asked] of [
    ["503 without Retry-After: the next call asks the server again (R50)", "X-Note: none", 2],
    ["503 with Retry-After: the next call does not ask the server (R50)", "Retry-After: 30", 1],
  ] as const) {
    test(claim, async () => {
      const { household } = stage;
      const [ours, first] = stage.pair();
      const second = stage.address();
      const phone = phoneAt(ours, [`udp:${first}:5060`, `udp:${second}:5060`], T1_MS);
      const witness = new Witness(phone);
      const refusing = await new Sipp(household, {
        ...{ scenario: "calling-unavailable", address: first, calls: asked, keys: { note } },
      }).ready();
      const answering = await new Sipp(household, {
        ...{ scenario: "calling-answer", address: second, calls: 2 },
      }).ready();
      try {
        await phone.start();
        for (let round = 0; round < 2; round += 1) {
          const call = phone.call("callee");
          await call.answered;
          await call.hangup();
        }
        await refusing.passed();
        await answering.passed();
      } finally {
        await phone.stop();
      }
      assert.equal(witness.all("request.failed-over").length, asked);
    });
  }
});

function phoneAt(ours: string, servers: readonly string[], t1Ms: number): Phone {
  return new Phone({
    ...{ user: "alice", domain: "lab.test", bind: ours, port: 5060, trace: true, register: false },
    ...{ servers, redundancy: { t1Ms } },
  });
}

async function play(stage: SippStage, corner: Corner, transport: Transport): Promise<void> {
  const { household } = stage;
  const [ours, theirs] = stage.pair();
  const silent = household.address(250);
  const servers = [`${transport}:${theirs}:5060`, `${transport}:${silent}:5060`];
  const phone = phoneAt(ours, servers, corner.t1Ms ?? T1_MS);
  const witness = new Witness(phone);
  const { scenario } = corner;
  const sipp = await new Sipp(household, { scenario, address: theirs, transport }).ready();
  try {
    await phone.start();
    const call = phone.call("callee");
    // What SIPp says of it comes first: it tells more.
    const deed = corner.deed({ call, witness }).catch((error: unknown) => error);
    await sipp.passed();
    assert.ok(!((await deed) instanceof Error), String(await deed));
    await call.ended;
  } finally {
    await phone.stop();
  }
  assert.deepEqual(witness.calls, corner.calls);
  corner.check?.(witness);
}

async function answeredThenHangup({ call }: Stage): Promise<void> {
  await call.answered;
  await call.hangup();
}

async function rungThenHangup({ call, witness }: Stage): Promise<void> {
  await witness.until("call.ringing");
  await call.hangup();
}

/** After the 100, of which no event is made. */
async function heardThenHangup({ call, witness }: Stage): Promise<void> {
  await witness.until("message.received");
  await call.hangup();
}

async function sent(witness: Witness, start: string, count: number): Promise<void> {
  while (witness.messages("sent", start).length < count) {
    await witness.until("message.sent", witness.all("message.sent").length + 1);
  }
}

/** SIPp ends a call whose second BYE comes before it has answered the first, as it may over a connection. */
async function byeAnswered(witness: Witness): Promise<void> {
  while (!/^CSeq: \d+ BYE/m.test(witness.texts("received", "").join(""))) {
    await witness.until("message.received", witness.all("message.received").length + 1);
  }
}

function notFailedOver(witness: Witness): void {
  assert.deepEqual(witness.all("request.failed-over"), []);
}
