/** Notifiers that would have a phone ask again and again: it does, at its own pace (I4). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ONE, stageOf } from "./subscribing-account.ts";
import { reginfo } from "./subscription-notifier.ts";

test("a notifier that ends each at once, or grants nothing, is not asked at once each time (R113)", () => {
  for (const reply of [
    { told: { state: "terminated;reason=giveup;retry-after=0" } },
    { told: { state: "active;expires=0" } },
    { headers: { expires: "0" } },
  ]) {
    const stage = stageOf([ONE], { messageWaiting: true });
    stage.notifier("primary").habit = () => ({ status: 200, ...reply });
    const asked = stage.start().until(100).asked("primary").length;
    assert.ok(asked >= 3 && asked <= 5, `${JSON.stringify(reply)}: ${asked} SUBSCRIBEs in 100 s`);
  }
});

test("reg: a registrar that never tells the whole state is not asked for it again at once", () => {
  const stage = stageOf([ONE], { subscribeRegistration: true });
  let version = 0;
  stage.notifier("primary").habit = () => {
    version += 2;
    return { status: 200, told: { body: reginfo(version, "partial") } };
  };
  assert.equal(stage.start().until(29).asked("primary").length, 2);
  assert.ok(stage.until(100).asked("primary").length <= 5);
});

test("reg: a registrar that calls after each REGISTER is obeyed at once three times", () => {
  for (const [event, more] of [
    ["deactivated", ""],
    ["probation", ' retry-after="0"'],
  ] as const) {
    const stage = stageOf([ONE], { subscribeRegistration: true });
    stage.notifier("primary").states.reg = reginfo(0, "full");
    stage.start();
    let version = 0;
    for (let at = 1; at < 30; at += 1) {
      version += 1;
      stage.tell("primary", { body: reginfo(version, "partial", event, more) }).until(at);
    }
    const asked = stage.asked("primary", "REGISTER").length;
    assert.ok(asked >= 3 && asked <= 5, `${event}: ${asked} REGISTERs in 30 s`);
    const before = stage.until(3_000).told("registration.accepted", "server").length;
    assert.ok(before > 3, "it is registered again");
  }
});
