/** The lamps of colleagues (BLF, RFC 4235): told, and right again after each change of server. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultServer } from "../../../src/core/redundancy/policy-defaults.ts";
import { NAMED, ONE, QUICK, stageOf } from "./subscribing-account.ts";
import type { SubscriptionStage } from "./subscription-notifier.ts";

const COLLEAGUES = { colleagues: ["2002"] };

/** Calls of 2002 as `id direction state`. */
function calls(version: number, kind: "full" | "partial", ...list: readonly string[]): string {
  const dialogs = list.map((one) => {
    const [id, direction, state] = one.split(" ");
    return `<dialog id="${id}" direction="${direction}"><state>${state}</state></dialog>`;
  });
  const head = `xmlns="urn:ietf:params:xml:ns:dialog-info" version="${version}" state="${kind}"`;
  return `<dialog-info ${head} entity="sip:2002@pbx.example.com">${dialogs.join("")}</dialog-info>`;
}

function lamps(stage: SubscriptionStage): unknown[] {
  return stage.told("colleague.changed", "colleague", "state").map((told) => told.join(" "));
}

test("each colleague is watched once, where the account is registered (RFC 4235, C1)", () => {
  const stage = stageOf([ONE], { colleagues: ["2002", "2003", "2002"] }).start();
  const asked = stage.asked("primary").map(({ uri, headers }) => [uri, headers.get("event")]);
  assert.deepEqual(asked, [
    ["sip:2002@pbx.example.com", "dialog"],
    ["sip:2003@pbx.example.com", "dialog"],
  ]);
  assert.deepEqual(
    stage.asked("primary").map(({ headers }) => headers.get("accept")),
    ["application/dialog-info+xml", "application/dialog-info+xml"],
  );
  const told = stage.told("subscription.accepted", "package", "colleague");
  assert.deepEqual(told, [
    ["dialog", "2002"],
    ["dialog", "2003"],
  ]);
});

test("the lamp: idle, ringing, busy, and busy for as long as one of two calls goes on", () => {
  const stage = stageOf([ONE], COLLEAGUES);
  stage.notifier("primary").states.dialog = calls(0, "full");
  stage.start();
  for (const [index, change] of [
    ["a recipient early"],
    ["a recipient confirmed"],
    ["b initiator trying"],
    ["a recipient terminated"],
    ["b initiator terminated"],
  ].entries()) {
    stage.tell("primary", { body: calls(index + 1, "partial", ...change) });
  }
  assert.deepEqual(lamps(stage), ["2002 idle", "2002 ringing", "2002 busy", "2002 idle"]);
});

test("a version that was missed is a reason to ask for the whole; what is no such document is refused", () => {
  const stage = stageOf([ONE], COLLEAGUES);
  stage.notifier("primary").states.dialog = calls(0, "full");
  stage.start();
  stage.tell("primary", { body: calls(5, "partial", "a recipient early") });
  assert.equal(stage.asked("primary").length, 2);
  for (const body of ["<dialog-info>", calls(9, "full").replace("dialog-info", "reginfo")]) {
    stage.tell("primary", { body });
  }
  stage.tell("primary", { body: "Messages-Waiting: no", type: "text/plain" });
  assert.deepEqual(stage.notifier("primary").answers.slice(-3), [400, 400, 415]);
  assert.deepEqual(lamps(stage), ["2002 idle", "2002 ringing"], "what came after it is true");
});

test("BLF: a call that ended while its watcher was at the secondary does not leave the lamp on (C1, C26)", () => {
  const stage = stageOf([NAMED], COLLEAGUES);
  stage.notifier("primary").states.dialog = calls(0, "full", "a recipient confirmed");
  stage.notifier("secondary").states.dialog = calls(0, "full", "a recipient confirmed");
  stage.start().until(10);
  stage.rehearsal.cut("primary");
  stage.until(560);
  assert.equal(stage.held("secondary").length, 1);
  stage.notifier("primary").states.dialog = calls(0, "full");
  stage.heal("primary").until(700);
  assert.deepEqual([stage.held("primary").length, stage.held("secondary").length], [1, 0]);
  assert.deepEqual(lamps(stage), ["2002 busy", "2002 idle"]);
});

test("BLF: a basic fallback is not asked, and on failback the lamp is as the working server has it (V1)", () => {
  const basic = defaultServer("192.0.2.15", { ...QUICK, features: "basic" });
  const stage = stageOf([ONE, basic], COLLEAGUES);
  stage.notifier("primary").states.dialog = calls(0, "full");
  stage.start().until(10);
  stage.rehearsal.cut("primary");
  stage.until(700);
  assert.deepEqual(stage.asked("fallback"), []);
  assert.deepEqual(stage.told("subscription.moved", "colleague", "limited"), [["2002", true]]);
  stage.notifier("primary").states.dialog = calls(0, "full", "c recipient early");
  stage.heal("primary").until(1000);
  assert.deepEqual(lamps(stage), ["2002 idle", "2002 ringing"]);
});
