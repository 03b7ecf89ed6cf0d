/** Golden ladders of fixed traces. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { drawLadder } from "../../src/apps/trace/ladder.ts";
import { LiveLadder } from "../../src/apps/trace/live-ladder.ts";
import {
  ALICE,
  FALLBACK,
  fallbackTrace,
  happened,
  message,
  PLACES,
  PRIMARY,
  request,
  response,
} from "./lab-traces.ts";

const PLAIN = { paint: "plain", width: 66 } as const;

function drawn(records: Parameters<typeof drawLadder>[0]): string {
  return `\n${drawLadder(records, PLAIN).join("\n")}\n`;
}

test("a fallback reads top-down: the frozen lifeline breaks, lost datagrams end half-way, the failover says why", () => {
  assert.equal(
    drawn(fallbackTrace()),
    `
                   alice            primary          fallback
                127.0.0.21      127.0.0.13:5060   127.0.0.15:5060
                     │                 │                 │
     0.000           │                 ╳ frozen          │
     0.100           │    REGISTER     ┊                 │
    +0.100           │────────✕        ┊                 │
     0.600           │    REGISTER     ┊                 │
    +0.500           │────────✕✕✕      ┊                 │
     1.600           │    REGISTER     ┊                 │
    +1.000           │────────✕✕✕      ┊                 │
     3.600           │    REGISTER     ┊                 │
    +2.000           │────────✕✕✕      ┊                 │
     7.600           │ REGISTER fails over: timeout      │
    +4.000           │                 ╰╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌>│
     7.600           │             REGISTER              │
    +0.000           │──────────────────────────────────>│
     7.602           │              200 OK               │
    +0.002           │<──────────────────────────────────│
     7.603           ● registered at fallback            │
     7.603           ▼ fell back: server 1 to 2          │
`,
  );
});

test("who is who stands on top at any width", () => {
  for (let width = 60; width <= 90; width += 1) {
    const [names, addresses] = drawLadder(fallbackTrace(), { ...PLAIN, width });
    assert.match(names ?? "", /^ +alice +primary +fallback$/, String(width));
    assert.match(addresses ?? "", /^ +127\S+ +127\S+ +127\S+$/, String(width));
  }
});

test("a killed server has no lifeline until it is revived, and a renewal where the phone stands is not told again", () => {
  const accepted = { account: 1, server: 1, target: "udp:127.0.0.13:5060" };
  const trace = [
    ...PLACES,
    happened(0, "alice", "registration.accepted", accepted),
    happened(1000, "primary", "server.killed"),
    ...message(1500, 1501, FALLBACK, ALICE, request("OPTIONS", "o")),
    happened(2000, "primary", "server.revived"),
    happened(3000, "alice", "registration.accepted", accepted),
    ...message(3500, 3501, ALICE, PRIMARY, request("REGISTER", "3")),
  ];
  assert.equal(
    drawn(trace),
    `
                   alice            primary          fallback
                127.0.0.21      127.0.0.13:5060   127.0.0.15:5060
                     │                 │                 │
     0.000           ● registered at primary             │
     1.000           │                 ╳ killed          │
     1.500           │              OPTIONS              │
    +0.500           │<──────────────────────────────────│
     2.000           │                 ◉ revived         │
     3.500           │    REGISTER     │                 │
    +1.500           │────────────────>│                 │
`,
  );
});

test("what a frozen server reads when it wakes is shown as late, not as lost", () => {
  const trace = [...PLACES, ...message(0, 9000, ALICE, PRIMARY, request("REGISTER", "1"))];
  const late = drawLadder(trace, PLAIN).find((line) => line.includes("REGISTER"));
  assert.match(late ?? "", /REGISTER \(\+9\.0/);
});

test("each class of answers has its own colour in a terminal and its own class in HTML", () => {
  const trace = [
    ...PLACES,
    ...message(0, 1, PRIMARY, ALICE, response(401, "Unauthorized", "REGISTER", "1")),
    ...message(2, 3, PRIMARY, ALICE, response(503, "Service Unavailable", "REGISTER", "1")),
  ];
  const coloured = drawLadder(trace, { paint: "terminal", width: 66 }).join("\n");
  assert.ok(coloured.includes("\u001b[38;5;208m401 Unauthori"));
  assert.ok(coloured.includes("\u001b[31m503 Service"));
  const page = drawLadder(trace, { paint: "html", width: 66 }).join("\n");
  assert.match(page, /<span class="refused">401/);
  assert.match(page, /&lt;/);
});

test("a ladder drawn live gives the same rows as one drawn afterwards", () => {
  const trace = fallbackTrace();
  const live = new LiveLadder(trace.slice(0, PLACES.length), PLAIN);
  const lines = live.heading();
  for (let now = 0; now <= 9000; now += 100) {
    for (const record of trace.slice(PLACES.length)) {
      if (record.at >= now && record.at < now + 100) live.add(record);
    }
    lines.push(...live.drawUntil(now));
  }
  assert.deepEqual(lines, drawLadder(trace, PLAIN));
});
