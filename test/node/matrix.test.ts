/**
 * Forty cells of the fault matrix on real sockets, all at the same time, with the verdicts of the simulator: the same
 * steps in the same order, none earlier than its time. What only a router can do (drop, ICMP host unreachable) is left
 * to the simulator; every other fault is played on every transport.
 */
import assert from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import {
  type Cell,
  cellName,
  type MatrixFault,
  type MatrixMethod,
  type MatrixTransport,
} from "../../src/apps/sim/matrix/axes.ts";
import { type MatrixVerdict, verdictText } from "../../src/apps/sim/matrix/verdict.ts";
import { RealCell, realSetting } from "./matrix-cell.ts";

/** Fault by fault: the method on UDP, TCP, TLS and WebSocket. */
const SAMPLE: readonly [MatrixFault, ...MatrixMethod[]][] = [
  ["rst", "OPTIONS", "BYE", "INVITE", "REGISTER"],
  ["mute", "SUBSCRIBE", "REGISTER", "BYE", "OPTIONS"],
  ["503", "INVITE", "SUBSCRIBE", "REGISTER", "BYE"],
  ["503-later", "OPTIONS", "INVITE", "SUBSCRIBE", "REGISTER"],
  ["500", "REGISTER", "OPTIONS", "BYE", "INVITE"],
  ["408", "BYE", "REGISTER", "OPTIONS", "SUBSCRIBE"],
  ["slow", "INVITE", "SUBSCRIBE", "REGISTER", "BYE"],
  ["dns-dead", "REGISTER", "INVITE", "SUBSCRIBE", "OPTIONS"],
  ["dns-lies", "INVITE", "BYE", "REGISTER", "SUBSCRIBE"],
  ["slow", "OPTIONS", "INVITE", "INVITE", "INVITE"],
];
const TRANSPORTS: readonly MatrixTransport[] = ["udp", "tcp", "tls", "ws"];

/** Bound as long as the addresses beside it are in use. */
const LOCK_PORT = 5059;
/** A good share of the shortest patience, 1.5 s. */
const STALL_MS = 300;
/** How often a cell is played at most. */
const ROUNDS = 4;
/** Timers may ring a little early for the clock that is read here. */
const EARLY_MS = 60;
/** A machine that is busy is late; what it does then is the same. */
const LATE_MS = 8000;

/** Phones that all start in one moment would wait for each other. */
const APART_MS = 30;

const cells: readonly Cell[] = SAMPLE.flatMap(([fault, ...methods]) =>
  methods.map((method, index) => ({
    transport: TRANSPORTS[index] as MatrixTransport,
    fault,
    method,
  })),
);

test("the sample is of forty cells, each once, and of every transport and method", () => {
  assert.equal(new Set(cells.map(cellName)).size, 40);
  assert.equal(new Set(cells.map(({ method }) => method)).size, 5);
});

const played = (async () => {
  const [block, lock] = await ownBlock();
  const outcomes: Outcome[] = [];
  let open = cells.map((_cell, index) => index);
  for (let round = 1; open.length > 0 && round <= ROUNDS; round += 1) {
    const stalls = monitorEventLoopDelay();
    stalls.enable();
    await Promise.all(
      open.map(async (index, position) => {
        await pause(position * APART_MS);
        outcomes[index] = await playAt(cells[index] as Cell, `${block}.${index}`);
      }),
    );
    stalls.disable();
    // A process that stood still has missed what it was to see: what went wrong then says nothing.
    open = open.filter((index) => outcomes[index]?.wrong !== undefined);
    if (stalls.max / 1e6 < STALL_MS) break;
  }
  lock.close();
  return outcomes;
})();

for (const [index, cell] of cells.entries()) {
  test(`${cellName(cell)} on real sockets`, async () => {
    const outcome = (await played)[index];
    assert.equal(outcome?.wrong, undefined, outcome?.told);
  });
}

interface Outcome {
  /** The first step that is not as it should be; undefined: none. */
  readonly wrong: string | undefined;
  readonly told: string;
}

async function playAt(cell: Cell, network: string): Promise<Outcome> {
  const real = new RealCell(cell, realSetting(network));
  const { expected } = real;
  const seen = await real.play();
  const told = `wanted ${verdictText(expected)}\n  seen ${verdictText(seen)}`;
  return { wrong: wrongStep(expected, seen), told };
}

function wrongStep(expected: MatrixVerdict, seen: MatrixVerdict): string | undefined {
  for (let index = 0; index < Math.max(expected.length, seen.length); index += 1) {
    const [wanted, found] = [expected[index], seen[index]];
    const late = (found?.atMs ?? 0) - (wanted?.atMs ?? 0);
    if (wanted?.what === found?.what && late >= -EARLY_MS && late <= LATE_MS) continue;
    return `${wanted?.what ?? "nothing"}, and not ${found?.what ?? "nothing"}, ${late} ms late`;
  }
  return undefined;
}

/** The first two numbers of addresses that no other process plays on, and what keeps them. */
async function ownBlock(): Promise<[string, Socket]> {
  for (let second = 64; second < 128; second += 1) {
    const lock = createSocket("udp4");
    const mine = await new Promise<boolean>((tried) => {
      lock.once("listening", () => tried(true));
      lock.once("error", () => tried(false));
      lock.bind({ port: LOCK_PORT, address: `127.${second}.0.1`, exclusive: true });
    });
    if (mine) return [`127.${second}`, lock];
    lock.close();
  }
  throw new Error("every block of loopback addresses is taken");
}
