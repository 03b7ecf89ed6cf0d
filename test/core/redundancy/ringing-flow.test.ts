/** A call rings, and the way it went is lost: the callee is told to stop by another (RFC 3261 §9.2, R18). */
import { test } from "node:test";
import { grants } from "../phone/flows.ts";
import { CALLS } from "./callers.ts";
import type { Rehearsal } from "./rehearsal.ts";
import { failover } from "./stages.ts";

const QUIET = { keepAliveMs: 0, skipKnownDead: false } as const;

/** Registered over TCP at a primary that rings and says no more. */
function ringing(): Rehearsal {
  const shown = { methods: CALLS, events: ["call.ended"] };
  const over = { transport: "tcp", registerOnFailover: false } as const;
  const stage = failover(over, QUIET, shown).start().until(10).zero();
  stage.server("primary").habits = { INVITE: () => [{ status: 180 }] };
  return stage.do(() => stage.phone.call("2099"));
}

test("a connection that is reset while the callee rings: CANCEL comes over a new one, once", () => {
  const stage = ringing().until(3).kill("primary").revive("primary");
  stage.until(60).expect(`
    0.0 INVITE → primary
    0.0 180 ← primary
    3.0 * call.ended why=transport
    3.0 CANCEL → primary
    3.0 200 ← primary
  `);
});

test("a port that answers no STUN while the callee rings: CANCEL goes there all the same (R96)", () => {
  const shown = { methods: ["INVITE", "CANCEL"], events: ["call.ended"] };
  const stage = failover({}, { ...QUIET, outbound: "always" }, shown);
  const primary = stage.server("primary");
  primary.habits = { REGISTER: grants({ "flow-timer": "20" }), INVITE: () => [{ status: 180 }] };
  stage.start().do(() => stage.phone.call("2099"));
  stage.until(60).expect(`
    0.0 INVITE → primary
    0.0 180 ← primary
    24.7 * call.ended why=timeout
    24.7 CANCEL → primary
    24.7 200 ← primary
  `);
});

test("where the port is closed by then, nobody is told", () => {
  const stage = ringing().until(3).kill("primary");
  stage.until(60).expect(`
    0.0 INVITE → primary
    0.0 180 ← primary
    3.0 * call.ended why=transport
  `);
});
