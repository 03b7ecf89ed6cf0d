/** A connection that stands in our books only: its other end is gone, and says so when it is used (C34). */
import { test } from "node:test";
import { DROP, PASS, REJECT } from "../../../src/core/network-rules.ts";
import type { Rehearsal } from "./rehearsal.ts";
import { failover } from "./stages.ts";

const OVER_TCP = { transport: "tcp", registerOnFailover: false } as const;
const QUIET = { keepAliveMs: 0, skipKnownDead: false } as const;

/** The process has another life, and the resets of the one before were lost on their way. */
function restarted(stage: Rehearsal): Rehearsal {
  const { network } = stage.simulation;
  network.fault("resets", () => DROP);
  stage.kill("primary");
  network.heal("resets");
  return stage.revive("primary");
}

function standing(...methods: string[]): Rehearsal {
  return failover(OVER_TCP, QUIET, { methods }).start().until(10).zero();
}

test("a call over a connection whose other end has restarted goes there over a new one, once (C34)", () => {
  const stage = restarted(standing("INVITE", "REGISTER"));
  stage
    .do(() => stage.phone.call("2099"))
    .until(3)
    .expect(`
      0.0 INVITE → primary
      0.0 INVITE → primary
      0.0 REGISTER → primary
      0.0 200 ← primary
      0.0 200 ← primary
    `);
});

test("BYE over such a connection reaches its peer (C34)", () => {
  const stage = standing("BYE");
  stage.do(() => stage.phone.call("2099")).until(12);
  restarted(stage)
    .zero()
    .do((now) => stage.phone.hangup(now))
    .until(3)
    .expect(`
      0.0 BYE → primary
      0.0 BYE → primary
      0.0 200 ← primary
    `);
});

test("a server that resets the new connection, too, is left (C34)", () => {
  const stage = standing("INVITE");
  stage.simulation.network.fault("resets", (_now, { to, size }) =>
    to === "192.0.2.13" && size > 0 ? REJECT : PASS,
  );
  stage
    .do(() => stage.phone.call("2099"))
    .until(3)
    .expect(`
      0.0 INVITE → primary
      0.0 INVITE → primary
      0.0 INVITE → secondary
      0.0 200 ← secondary
    `);
});
