/** Subscriptions as a notifier sees them (RFC 6665, RFC 3842, RFC 3680): begun, renewed, refused, ended. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { AccountPolicy, ServerPolicy } from "../../../src/core/redundancy/policy.ts";
import {
  defaultAccount,
  defaultPolicy,
  defaultServer,
} from "../../../src/core/redundancy/policy-defaults.ts";
import { type Reply, reginfo, SubscriptionStage } from "./subscription-notifier.ts";

const MAIL = "Messages-Waiting: yes\r\nVoice-Message: 2/8 (0/2)\r\n";

/** One server, and the ladder of SUBSCRIBE and NOTIFY only. */
function stageOf(
  account: Partial<AccountPolicy> = { messageWaiting: true },
  server: Partial<ServerPolicy> = {},
): SubscriptionStage {
  const one = defaultServer("192.0.2.13", { expiresSeconds: 3600, overlapSeconds: 60, ...server });
  const redundancy = { ...defaultPolicy(one), refreshJitter: 0, keepAliveMs: 0 };
  return new SubscriptionStage([defaultAccount("2001", redundancy, account)], {
    methods: ["SUBSCRIBE", "NOTIFY"],
    events: [
      "subscription.failed",
      "subscription.refused",
      "subscription.ended",
      "notification.refused",
    ],
  });
}

function replies(stage: SubscriptionStage, ...list: (Reply | "silence" | undefined)[]): void {
  const left = [...list];
  stage.notifier("primary").habit = () => left.shift();
}

test("once registered, SUBSCRIBE goes to the account's own address of record; NOTIFY is answered 200 (R112)", () => {
  const stage = stageOf()
    .start()
    .expect(`
    0.0 SUBSCRIBE → primary
    0.0 200 ← primary
    0.0 NOTIFY ← primary
    0.0 200 → primary
  `);
  const [subscribe] = stage.asked("primary");
  assert.equal(subscribe?.uri, "sip:2001@192.0.2.13");
  const headers = ["event", "accept", "expires", "contact"].map((name) =>
    subscribe?.headers.get(name),
  );
  assert.deepEqual(headers, [
    "message-summary",
    "application/simple-message-summary",
    "3600",
    "<sip:2001@192.0.2.100:5060>",
  ]);
  assert.deepEqual(stage.told("subscription.accepted", "package", "target", "expires"), [
    ["message-summary", "udp:192.0.2.13:5060", 3600],
  ]);
});

test("an account that asks for nothing subscribes to nothing, and without a registration none does (C1)", () => {
  assert.deepEqual(stageOf({}).start().until(100).asked("primary"), []);
  assert.deepEqual(
    stageOf({ messageWaiting: true }, { register: false }).start().asked("primary"),
    [],
  );
});

test("message-waiting.changed says the lamp and the counts, and only when they are others (R115)", () => {
  const stage = stageOf();
  stage.notifier("primary").states["message-summary"] = "Messages-Waiting: no\r\n";
  stage.start().tell("primary", { body: MAIL }).tell("primary", { body: MAIL });
  stage.tell("primary", { body: "Messages-Waiting: no\nVoice-Message: 0/8\n" });
  assert.deepEqual(stage.told("message-waiting.changed", "account", "waiting", "new", "old"), [
    ["2001", false, undefined, undefined],
    ["2001", true, 2, 8],
    ["2001", false, 0, 8],
  ]);
});

test("the lamp says what number tells the messages, when it is told (RFC 3842 §5.2)", () => {
  const none = "Messages-Waiting: no\r\n";
  const stage = stageOf().start();
  stage.tell("primary", { body: none });
  stage.tell("primary", { body: `${none}Message-Account: sip:500@example.com\r\n` });
  const boxes = stage.told("message-waiting.changed", "box");
  assert.deepEqual(boxes, [[undefined], ["sip:500@example.com"]]);
});

test("bodies that are none are refused and change nothing: 415 with Accept, 400", () => {
  const stage = stageOf().start();
  stage.rehearsal.take();
  stage.tell("primary", { body: "<xml/>", type: "application/xml" });
  stage.tell("primary", { body: "Voice-Message: 1/0\r\n" });
  stage.tell("primary", { body: "Messages-Waiting: yes\r\nVoice-Message: many\r\n" });
  assert.deepEqual(stage.notifier("primary").answers, [200, 415, 400, 400]);
  assert.deepEqual(stage.told("message-waiting.changed"), []);
  assert.deepEqual(stage.told("notification.refused", "why"), [
    ["not a message summary"],
    ["malformed message summary"],
    ["malformed message summary"],
  ]);
  stage.tell("primary", { body: MAIL });
  assert.equal(stage.told("message-waiting.changed").length, 1);
});

test("a NOTIFY that nobody asked for is 481, of another package or fork too; an older one is 500 (R12, R114)", () => {
  const stage = stageOf().start();
  const [held] = stage.held("primary");
  assert.ok(held !== undefined);
  const { dialog } = held;
  const host = stage.rehearsal.hostOf("primary");
  const notifier = stage.notifier("primary");
  stage.tell("primary", { headers: { event: "presence" } });
  stage.tell("primary", { headers: { from: `<sip:2001@192.0.2.13>;tag=fork` } });
  stage.tell("primary", { headers: { "call-id": "nobody" } });
  stage.tell("primary", { headers: { "subscription-state": ";" } });
  stage.tell("primary", { headers: { require: "eventlist" } });
  stage.tell("primary", { body: MAIL });
  assert.deepEqual(notifier.answers.splice(0), [200, 481, 481, 481, 400, 420, 200]);
  host.run((now) => notifier.notify(now, held, { cseq: 2, body: "Messages-Waiting: no\r\n" }));
  stage.until(1);
  assert.deepEqual(notifier.answers, [500]);
  assert.deepEqual(stage.told("message-waiting.changed", "waiting"), [[true]]);
  assert.equal(dialog.callId, stage.asked("primary")[0]?.headers.get("call-id"));
});

test("it is renewed in its dialog: at half the lifetime granted, or the overlap before its end", () => {
  for (const [subscribeOverlapSeconds, renewed] of [
    ["half", 300],
    [60, 540],
    [600, 300],
  ] as const) {
    const stage = stageOf({ messageWaiting: true, subscribeOverlapSeconds });
    replies(stage, { status: 200, headers: { expires: "600" } });
    stage.start().until(renewed - 0.1);
    assert.equal(stage.asked("primary").length, 1);
    const [first, second] = stage.until(renewed).asked("primary");
    for (const name of ["call-id", "from"])
      assert.equal(second?.headers.get(name), first?.headers.get(name));
    assert.equal(second?.uri, "sip:notifier@192.0.2.13:5060");
    assert.equal(second?.headers.get("cseq"), "2 SUBSCRIBE");
  }
});

test("a notifier may shorten what is left by NOTIFY; one that says what it granted moves nothing", () => {
  const stage = stageOf().start().until(100);
  stage.tell("primary", { state: "active;expires=3500" }).until(1000);
  stage.tell("primary", { state: "active;expires=200" }).until(1099);
  assert.equal(stage.asked("primary").length, 1);
  assert.equal(stage.until(1100).asked("primary").length, 2);
});

test("423 asks for the notifier's minimum instead, and not for ever", () => {
  const brief = { status: 423, headers: { "min-expires": "7200" } };
  const stage = stageOf();
  replies(stage, brief);
  stage.start();
  const expires = stage.asked("primary").map((request) => request.headers.get("expires"));
  assert.deepEqual(expires, ["3600", "7200"]);
  assert.equal(stage.held("primary").length, 1);

  const stubborn = stageOf();
  stubborn.notifier("primary").habit = () => brief;
  stubborn.start().until(29);
  assert.equal(stubborn.asked("primary").length, 3);
});

test("489, 501 and 405: given up, whatever time passes and however often the registration is renewed", () => {
  for (const status of [489, 501, 405]) {
    const stage = stageOf();
    stage.notifier("primary").habit = () => ({ status });
    stage.start().until(20_000);
    stage.expect(`
      0.0 SUBSCRIBE → primary
      0.0 ${status} ← primary
      0.0 * subscription.refused server=1 target=primary why=${status}
    `);
    assert.ok(stage.asked("primary", "REGISTER").length > 3);
  }
});

test("any other refusal is tried again after the retry interval, or later if the server asks for that", () => {
  const stage = stageOf({ messageWaiting: true, subscribeRetryMs: 30_000 });
  replies(stage, { status: 403 }, { status: 480, headers: { "retry-after": "120" } });
  stage
    .start()
    .until(151)
    .expect(`
    0.0 SUBSCRIBE → primary
    0.0 403 ← primary
    0.0 * subscription.failed server=1 target=primary why=rejected status=403
    30.0 SUBSCRIBE → primary
    30.0 480 ← primary
    30.0 * subscription.failed server=1 target=primary why=rejected status=480
    150.0 SUBSCRIBE → primary
    150.0 200 ← primary
    150.0 NOTIFY ← primary
    150.0 200 → primary
  `);
});

test("a renewal refused for a while is tried again in the dialog, which still stands", () => {
  const stage = stageOf().start();
  replies(stage, { status: 500 });
  stage.until(1831);
  const callIds = new Set(stage.asked("primary").map(({ headers }) => headers.get("call-id")));
  assert.equal(stage.asked("primary").length, 3);
  assert.equal(callIds.size, 1);
  assert.equal(stage.held("primary").length, 1);
});

test("481 to a renewal: a new dialog at once, with nothing of the old one (C27, C28)", () => {
  const stage = stageOf().start().until(10);
  stage.rehearsal.take();
  stage
    .hire("primary")
    .until(1801)
    .expect(`
    1800.0 SUBSCRIBE → primary
    1800.0 481 ← primary
    1800.0 * subscription.ended server=1 target=primary why=481
    1800.0 SUBSCRIBE → primary
    1800.0 200 ← primary
    1800.0 NOTIFY ← primary
    1800.0 200 → primary
  `);
  const [old, fresh] = stage.asked("primary");
  assert.notEqual(fresh?.headers.get("call-id"), old?.headers.get("call-id"));
  assert.equal(fresh?.headers.get("cseq"), "1 SUBSCRIBE");
});

test("silence at a renewal: a new dialog, and after that the retry interval (R114)", () => {
  const stage = stageOf({ messageWaiting: true }, { registerRetries: 0 }).start();
  stage.rehearsal.take();
  replies(stage, "silence", "silence");
  stage.until(1840).expect(`
    1800.0 SUBSCRIBE → primary
    1800.5 * subscription.ended server=1 target=primary why=timeout
    1800.5 SUBSCRIBE → primary
    1801.0 * subscription.failed server=1 target=primary why=timeout
    1803.5 100 ← primary
    1804.0 100 ← primary
    1831.0 SUBSCRIBE → primary
    1831.0 200 ← primary
    1831.0 SUBSCRIBE → primary
    1831.0 NOTIFY ← primary
    1831.0 200 → primary
    1831.0 200 ← primary
    1831.0 NOTIFY ← primary
    1831.0 200 → primary
  `);
  assert.equal(stage.held("primary").length, 1, "the one that was not renewed is ended");
});

test("Timer N: accepted and never notified is no subscription; it is begun anew (C26)", () => {
  const stage = stageOf();
  replies(stage, { status: 202, mute: true });
  stage
    .start()
    .until(63)
    .expect(`
    0.0 SUBSCRIBE → primary
    0.0 202 ← primary
    32.0 * subscription.failed server=1 target=primary why=no-notify
    62.0 SUBSCRIBE → primary
    62.0 200 ← primary
    62.0 NOTIFY ← primary
    62.0 200 → primary
  `);
});

test("terminated: deactivated and timeout begin anew at once, and once (R113)", () => {
  for (const reason of ["deactivated", "timeout"]) {
    const stage = stageOf().start().until(100);
    stage.rehearsal.take();
    stage
      .tell("primary", { state: `terminated;reason=${reason}` })
      .until(101)
      .expect(`
      100.0 NOTIFY ← primary
      100.0 200 → primary
      100.0 * subscription.ended server=1 target=primary why=${reason}
      100.0 SUBSCRIBE → primary
      100.0 200 ← primary
      100.0 NOTIFY ← primary
      100.0 200 → primary
    `);
    stage.until(110).tell("primary", { state: `terminated;reason=${reason}` });
    assert.equal(stage.until(139).asked("primary").length, 2, "not at once each time");
    assert.equal(stage.until(141).asked("primary").length, 3);
  }
});

test("terminated: probation and giveup wait for retry-after, in seconds (R113)", () => {
  for (const [state, wait] of [
    ["probation;retry-after=90", 90],
    ["giveup;retry-after=5", 5],
    ["giveup", 30],
  ] as const) {
    const stage = stageOf().start();
    stage.tell("primary", { state: `terminated;reason=${state}` }).until(wait - 0.1);
    assert.equal(stage.asked("primary").length, 1);
    assert.equal(stage.until(wait).asked("primary").length, 2, state);
  }
});

test("terminated: rejected, noresource and invariant end it for this server (R113)", () => {
  for (const reason of ["rejected", "noresource", "invariant"]) {
    const stage = stageOf().start();
    stage.tell("primary", { state: `terminated;reason=${reason}` }).until(10_000);
    assert.equal(stage.asked("primary").length, 1);
    assert.deepEqual(stage.told("subscription.refused", "why"), [[reason]]);
  }
});

test("a phone that stops ends its subscription before its registration, and nothing is left", () => {
  const stage = stageOf().start().until(10);
  const { phone, machine } = stage.rehearsal;
  stage.rehearsal.do((now) => phone.stop(now));
  const methods = stage.notifier("primary").requests.map(({ method }) => method);
  assert.deepEqual(methods, ["REGISTER", "SUBSCRIBE", "SUBSCRIBE", "REGISTER"]);
  assert.equal(stage.asked("primary").at(-1)?.headers.get("expires"), "0");
  assert.equal(stage.held("primary").length, 0);
  assert.deepEqual(stage.notifier("primary").answers, [200, 200]);
  assert.ok(phone.atRest);
  stage.rehearsal.do(() => machine.close());
  assert.equal(machine.holdings, 0);
});

function watcher(): SubscriptionStage {
  const stage = stageOf({ subscribeRegistration: true });
  stage.notifier("primary").states.reg = reginfo(0, "full");
  return stage.start().until(10);
}

test("reg: deactivated is a call to register again now (R84)", () => {
  const stage = watcher();
  assert.equal(stage.asked("primary", "REGISTER").length, 1);
  stage.tell("primary", { body: reginfo(1, "partial", "deactivated") });
  assert.equal(stage.asked("primary", "REGISTER").length, 2);
  assert.deepEqual(stage.told("registration.recalled", "why", "waitMs"), [["deactivated", 0]]);
  assert.equal(stage.held("primary").length, 1, "the subscription goes on");
});

test("reg: probation registers again after retry-after, rejected never (R84)", () => {
  const stage = watcher();
  const more = ' retry-after="90"';
  stage.tell("primary", { body: reginfo(1, "partial", "probation", more) }).until(99.9);
  assert.equal(stage.asked("primary", "REGISTER").length, 1);
  assert.equal(stage.until(101).asked("primary", "REGISTER").length, 2);

  const unwanted = watcher();
  unwanted.tell("primary", { body: reginfo(1, "partial", "rejected") }).until(10_000);
  assert.equal(unwanted.asked("primary", "REGISTER").length, 1);
});

test("reg: another's contact, an old version and a binding that ended in its time change nothing (R83)", () => {
  const stage = watcher();
  stage.tell("primary", { body: reginfo(1, "partial", "expired") });
  stage.tell("primary", { body: reginfo(1, "partial", "deactivated") });
  stage.tell("primary", {
    body: reginfo(2, "partial", "deactivated").replace("192.0.2.100", "192.0.2.9"),
  });
  assert.equal(stage.asked("primary", "REGISTER").length, 1);
});

test("reg: a version that was missed is a reason to ask for the whole state (R83)", () => {
  const stage = watcher();
  stage.tell("primary", { body: reginfo(3, "partial", "refreshed") });
  const [first, second] = stage.asked("primary");
  assert.equal(second?.headers.get("call-id"), first?.headers.get("call-id"));
  assert.equal(second?.headers.get("expires"), "3600");
  assert.deepEqual(stage.told("registration.recalled"), []);
});

test("reg: what comes behind a version that was missed is obeyed: the whole state names no ended contact (R83)", () => {
  const stage = watcher();
  stage.tell("primary", { body: reginfo(3, "partial", "deactivated") }).until(11);
  assert.deepEqual(stage.told("registration.recalled", "why", "waitMs"), [["deactivated", 0]]);
  assert.equal(stage.asked("primary", "REGISTER").length, 2);
  const [first, second, ...more] = stage.asked("primary");
  assert.equal(second?.headers.get("call-id"), first?.headers.get("call-id"));
  assert.deepEqual(more, []);
});

test("reg: what is no such document is refused", () => {
  const stage = watcher();
  for (const body of [
    "<reginfo",
    "<other version='1'/>",
    "<reginfo version='x'/>",
    "<reginfo version='1'>",
  ]) {
    stage.tell("primary", { body });
  }
  assert.deepEqual(stage.notifier("primary").answers, [200, 400, 400, 400, 400]);
});
