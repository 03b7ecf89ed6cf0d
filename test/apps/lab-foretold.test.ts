/** What the lab holds its measurements against: rehearsals in virtual time of what was met on real sockets. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type FilesCase, Foretold } from "../../src/apps/lab/foretold.ts";

const RENEWED_MS = 30_000;
const PROBE_MS = 10_000;

const SUCCESSIVE = `#!version:1.0.0.1
account.1.enable = 1
account.1.user_name = 2001
account.1.sip_server.1.address = 192.0.2.13
account.1.sip_server.1.expires = ${(2 * RENEWED_MS) / 1000}
account.1.sip_server.2.address = 192.0.2.15
account.1.fallback.redundancy_type = 1
account.1.fallback.timeout = ${PROBE_MS / 1000}
`;

const SECOND_FOR_CALLS_OUT = `<polycomConfig><reg reg.1.address="4001"
  reg.1.server.1.address="192.0.2.13" reg.1.server.2.address="192.0.2.14" reg.1.server.2.register="0"
  reg.1.server.3.address="192.0.2.15"/></polycomConfig>`;

function foretold(name: string, text: string, faults: FilesCase["faults"]): Foretold {
  return new Foretold({
    files: [{ name, text }],
    account: undefined,
    faults,
    targets: 2,
    ttlSeconds: 60,
    phases: 2,
    seed: 1,
    withinMs: 60_000,
  });
}

test("a server that returns right after the phone has left it waits for the whole of a probe's interval", async () => {
  // As measured: some milliseconds before the renewal that is rehearsed after this one.
  const away = { leastMs: RENEWED_MS - 5, worstMs: RENEWED_MS - 5, moved: true };
  const { least, worst } = await foretold("short.cfg", SUCCESSIVE, []).back(
    "503",
    away,
    () => true,
  );
  assert.ok(worst > PROBE_MS - 50 && worst <= PROBE_MS + 50, `${worst} ms`);
  assert.ok(least > 0, "nobody is home who never left");
});

test("people ask for the phone at a server where it registers, not at one that is for calls out only", () => {
  const [closed] = foretold("three.xml", SECOND_FOR_CALLS_OUT, ["closed"]).predictions;
  assert.equal(closed?.unreachable.worst, 0);
});
