/** SIPp at both sides of our server: every corner of a proxy's transactions. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { SipServer } from "../../src/index.ts";
import { Capture } from "../support/capture.ts";
import { needs } from "../support/peers.ts";
import { Household } from "../support/processes.ts";
import { Sipp } from "../support/sipp.ts";
import { Witness } from "../support/witness.ts";

type Transport = "udp" | "tcp";

interface Corner {
  readonly claim: string;
  /** The caller's scenario. */
  readonly through: string;
  /** Those of the callees; none: nobody is called. */
  readonly behind: readonly string[];
  readonly over?: readonly Transport[];
}

const BOTH = ["udp", "tcp"] as const;
const SERVER = 5;

const CORNERS: readonly Corner[] = [
  {
    claim: "each 200 that a callee repeats is passed on until the ACK comes (R56)",
    through: "through-ack-lost",
    behind: ["behind-ack-lost"],
    over: BOTH,
  },
  {
    claim: "a 200 that crosses the CANCEL is passed on, acknowledged and ended (R56)",
    through: "through-late-200",
    behind: ["behind-late-200"],
    over: BOTH,
  },
  {
    claim: "CANCEL goes to the callee, its 487 comes back (R18)",
    through: "through-cancelled",
    behind: ["behind-cancelled"],
    over: BOTH,
  },
  {
    claim: "503 of a callee becomes 500 (R52), and is acknowledged hop by hop (R38)",
    through: "through-unavailable",
    behind: ["behind-unavailable"],
    over: BOTH,
  },
  {
    claim: "486 whose ACK is lost is said again by the server, and never to the callee (R40)",
    through: "through-busy",
    behind: ["behind-busy"],
  },
  {
    claim: "INVITE and BYE that come twice go out once (R42)",
    through: "through-invite-again",
    behind: ["behind-answer"],
  },
  {
    claim: "a response with a sent-by that is not the server's is dropped (R45)",
    through: "through-foreign-via",
    behind: ["behind-foreign-via"],
    over: BOTH,
  },
  {
    claim: "of two callees that ring one answers, the other is cancelled (R55)",
    through: "through-forked",
    behind: ["behind-slow-answer", "behind-cancelled"],
    over: BOTH,
  },
  {
    claim: "PRACK passes from end to end, repeated while it is lost (R61)",
    through: "through-reliable",
    behind: ["behind-reliable"],
  },
  {
    claim: "Max-Forwards 0: 483 (R54)",
    through: "through-no-hops",
    behind: [],
    over: BOTH,
  },
  {
    claim: "Proxy-Require of the unknown: 420 with its name (R7)",
    through: "through-require",
    behind: [],
    over: BOTH,
  },
];

describe("SIPp calls SIPp through our server", {
  ...needs("sipp", "tshark"),
  concurrency: 6,
}, () => {
  let household: Household;
  let capture: Capture;
  let server: SipServer;
  let witness: Witness;
  let last = 10;

  before(async () => {
    household = await Household.open(73);
    capture = await Capture.start(household);
    const place = `${household.address(SERVER)}:5060`;
    server = new SipServer({
      listen: [`udp:${place}`, `tcp:${place}`],
      domain: "lab.test",
      open: true,
    });
    witness = new Witness(server);
    await server.start();
  });

  after(async () => {
    await server?.close();
    try {
      await capture.assertClean({ sip: 101 });
    } finally {
      await household?.close();
    }
    const calls = (name: string): unknown[] => witness.all(name).map(({ call }) => call);
    const over = [...calls("call.ended"), ...calls("call.refused")];
    assert.deepEqual(new Set(over), new Set(calls("call.started")), "each call is told to be over");
  });

  for (const corner of CORNERS) {
    for (const transport of corner.over ?? (["udp"] as const)) {
      test(`${corner.claim} [${transport}]`, async () => {
        last += 4;
        await play(household, corner, transport, last);
      });
    }
  }
});

async function play(
  household: Household,
  { through, behind }: Corner,
  transport: Transport,
  last: number,
): Promise<void> {
  const to = household.address(SERVER);
  const service = `user${last}`;
  const callees: Sipp[] = [];
  for (const [at, scenario] of behind.entries()) {
    const address = household.address(last + 1 + at);
    callees.push(await new Sipp(household, { scenario, address, transport }).ready());
  }
  if (behind.length > 0) {
    const injected = household.path(`${service}.csv`);
    const lines = behind.map(
      (_, at) => `${service};${household.address(last + 1 + at)};${transport}`,
    );
    writeFileSync(injected, `SEQUENTIAL\n${lines.join("\n")}\n`);
    const address = household.address(last + 3);
    const calls = behind.length;
    await new Sipp(household, { scenario: "register", address, to, injected, calls }).passed();
  }
  const address = household.address(last);
  const caller = new Sipp(household, { scenario: through, address, to, transport, service });
  await caller.passed();
  for (const callee of callees) await callee.passed();
}
