/** The way back in mode `duration`: so many seconds after the switch. */
import { test } from "node:test";
import { failover } from "./failback-stages.ts";

test("duration: so many seconds after the switch, and again after each trial in vain", () => {
  failover({ failbackMode: "duration", failbackSeconds: 100 })
    .cut("primary")
    .start()
    .until(150)
    .revive("primary")
    .until(210)
    .expect(`
      0.0 REGISTER → primary
      0.5 REGISTER → secondary
      0.5 200 ← secondary
      100.5 REGISTER → primary
      201.0 REGISTER → primary
      201.0 200 ← primary
      201.0 * server.failed-back from=1 to=1 toTarget=primary mode=duration
    `);
});

test("duration: a renewal that is under way when the time has come is waited for, and is no return", () => {
  const stage = failover({
    ...{ failbackMode: "duration", failbackSeconds: 540 },
    ...{ expiresSeconds: 600, overlapSeconds: 60.2 },
  });
  const secondary = stage.server("secondary");
  secondary.habits.REGISTER = (request, now) =>
    secondary.yes(request).map((reply) => ({ ...reply, afterMs: now < 1_000 ? 0 : 300 }));
  stage
    .cut("primary")
    .start()
    .until(20)
    .revive("primary")
    .until(550)
    .expect(`
      0.0 REGISTER → primary
      0.5 REGISTER → secondary
      0.5 200 ← secondary
      540.3 REGISTER → secondary
      540.6 200 ← secondary
      540.6 REGISTER → primary
      540.6 200 ← primary
      540.6 * server.failed-back from=1 to=1 toTarget=primary mode=duration
    `);
});

test("duration 0: never by time, only when the server in use fails as well (D7)", () => {
  failover({ failbackMode: "duration", failbackSeconds: 0 })
    .cut("primary")
    .start()
    .until(20)
    .revive("primary")
    .until(600)
    .cut("secondary")
    .until(1085)
    .expect(`
      0.0 REGISTER → primary
      0.5 REGISTER → secondary
      0.5 200 ← secondary
      540.5 REGISTER → secondary
      540.5 200 ← secondary
      1080.5 REGISTER → secondary
      1081.0 REGISTER → primary
      1081.0 200 ← primary
      1081.0 * server.failed-back from=1 to=1 toTarget=primary mode=duration
    `);
});
