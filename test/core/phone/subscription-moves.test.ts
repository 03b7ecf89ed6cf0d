/** Where subscriptions go when servers die and return: after the registration, and never anywhere else. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type {
  AccountPolicy,
  RedundancyPolicy,
  ServerPolicy,
} from "../../../src/core/redundancy/policy.ts";
import {
  defaultAccount,
  defaultPolicy,
  defaultServer,
  PLAIN,
} from "../../../src/core/redundancy/policy-defaults.ts";
import { sample } from "../redundancy/rehearsal.ts";
import { reginfo, SubscriptionStage } from "./subscription-notifier.ts";

const OPTIONS = {
  methods: ["REGISTER", "SUBSCRIBE"],
  events: ["subscription.moved", "subscription.ended", "subscription.failed"],
};

const QUICK: Partial<ServerPolicy> = { registerRetries: 0, inviteRetries: 0 };

const REGISTRATION: Partial<AccountPolicy> = { subscribeRegistration: true };

function stageOf(
  servers: readonly ServerPolicy[],
  policy: Partial<RedundancyPolicy> = {},
  wants: Partial<AccountPolicy> = { messageWaiting: true },
): SubscriptionStage {
  const redundancy: RedundancyPolicy = {
    ...defaultPolicy(...servers),
    refreshJitter: 0,
    keepAliveMs: 0,
    ...PLAIN,
    skipKnownDead: true,
    backoff: { kind: "fixed", intervalMs: 30_000 },
    ...policy,
  };
  const account = defaultAccount("2001", redundancy, wants);
  return new SubscriptionStage([account], OPTIONS);
}

/** One name with two targets. */
function named(
  change: Partial<ServerPolicy> = {},
  wants?: Partial<AccountPolicy>,
): SubscriptionStage {
  const server = defaultServer("dual.pbx.example.com", {
    port: 5060,
    transport: "udp",
    expiresSeconds: 600,
    overlapSeconds: 60,
    ...QUICK,
    ...change,
  });
  return stageOf([server], {}, wants);
}

/** A working server and a fallback that only places calls. */
function withFallback(policy: Partial<RedundancyPolicy> = {}): SubscriptionStage {
  const [full, basic] = [
    defaultServer("192.0.2.13", { ...QUICK, expiresSeconds: 600 }),
    defaultServer("192.0.2.15", { ...QUICK, features: "basic" }),
  ];
  return stageOf([full, basic], { registration: "successive", probeIntervalMs: 60_000, ...policy });
}

function callIds(stage: SubscriptionStage, name: "primary" | "secondary"): Set<string | undefined> {
  return new Set(stage.asked(name).map(({ headers }) => headers.get("call-id")));
}

test("failover inside a name: a new dialog right after the registration there (C1, C26, R114)", () => {
  const stage = named({ failbackMode: "registration" }).start().until(10);
  stage.rehearsal.take();
  stage.rehearsal.cut("primary");
  stage.until(600).expect(`
    540.0 REGISTER → primary
    540.5 REGISTER → secondary
    540.5 200 ← secondary
    540.5 * subscription.moved from=primary to=secondary
    540.5 SUBSCRIBE → secondary
    540.5 200 ← secondary
  `);
  assert.equal(stage.asked("secondary")[0]?.headers.get("cseq"), "1 SUBSCRIBE");
  assert.equal(callIds(stage, "primary").has([...callIds(stage, "secondary")][0]), false);
  assert.deepEqual(stage.told("subscription.moved", "limited", "rule"), [
    [false, "servers.1.resubscribeOnFailover=true"],
  ]);
});

test("back at the primary it is set up again, and the dialog left is ended where it stands (C29)", () => {
  const stage = named({ failbackMode: "duration", failbackSeconds: 100 }).start().until(10);
  stage.rehearsal.cut("primary");
  stage.until(550);
  stage.rehearsal.take();
  stage
    .heal("primary")
    .until(700)
    .expect(`
    640.5 REGISTER → primary
    640.5 200 ← primary
    640.5 * subscription.moved from=secondary to=primary
    640.5 SUBSCRIBE → secondary
    640.5 SUBSCRIBE → primary
    640.5 200 ← secondary
    640.5 200 ← primary
    640.5 SUBSCRIBE → primary
    640.5 200 ← primary
  `);
  assert.equal(stage.held("primary").length, 1, "of the one from before nothing is left, either");
  assert.equal(stage.asked("secondary").at(-1)?.headers.get("expires"), "0");
  assert.equal(stage.held("secondary").length, 0);
  assert.deepEqual(stage.notifier("secondary").answers, [200, 200], "its last NOTIFY is taken in");
});

test("nothing piles up at a server that was cut off three times and kept what it had (C29)", () => {
  const stage = named({ failbackMode: "duration", failbackSeconds: 100, overlapSeconds: 500 });
  stage.start().until(10);
  for (const round of [1, 2, 3]) {
    stage.rehearsal.cut("primary");
    stage.until(round * 300 - 120);
    assert.equal(stage.held("secondary").length, 1);
    stage.heal("primary").until(round * 300);
    assert.deepEqual([stage.held("primary").length, stage.held("secondary").length], [1, 0]);
  }
  assert.equal(callIds(stage, "primary").size, 4);
});

test("a dialog that ran out at a dead server is not asked to end", () => {
  const stage = named({ failbackMode: "duration", failbackSeconds: 4000 }).start().until(10);
  stage.rehearsal.cut("primary");
  stage.until(3700).heal("primary").until(5000);
  assert.deepEqual(
    stage.asked("primary").map(({ headers }) => headers.get("expires")),
    ["3600", "3600"],
  );
});

for (const [name, stageFor] of [
  ["the secondary", () => named({ failbackMode: "duration", failbackSeconds: 100 })],
  ["a basic fallback", () => withFallback()],
] as const) {
  test(`MWI: messages that came while the phone was at ${name} are known on failback`, () => {
    const stage = stageFor();
    const box = (server: "primary" | "secondary", unheard: number): void => {
      const body = `Messages-Waiting: ${unheard > 0 ? "yes" : "no"}\r\nVoice-Message: ${unheard}/0\r\n`;
      stage.notifier(server).states["message-summary"] = body;
    };
    box("primary", 0);
    box("secondary", 0);
    stage.start().until(10);
    stage.rehearsal.cut("primary");
    stage.until(560);
    box("primary", 3);
    stage.heal("primary").until(800);
    assert.deepEqual(stage.told("message-waiting.changed", "waiting", "new"), [
      [false, 0],
      [true, 3],
    ]);
  });
}

test("reg: on failback the new dialog counts anew, and its word is obeyed (R83, R84)", () => {
  const body = (version: number, event: string): string =>
    reginfo(version, event === "registered" ? "full" : "partial", event);
  const stage = named({ failbackMode: "duration", failbackSeconds: 100 }, REGISTRATION);
  stage.notifier("primary").states.reg = body(7, "registered");
  stage.notifier("secondary").states.reg = body(40, "registered");
  stage.start().until(10);
  stage.rehearsal.cut("primary");
  stage.until(560);
  stage.notifier("primary").states.reg = body(0, "registered");
  stage.heal("primary").until(700);
  assert.equal(stage.held("primary").length, 1);
  stage.tell("primary", { body: body(1, "deactivated") });
  assert.deepEqual(stage.told("registration.recalled", "server", "why"), [[1, "deactivated"]]);
});

test("without failback_subscribe it follows at its next renewal, in a new dialog", () => {
  const stage = named({ resubscribeOnFailover: false, failbackMode: "registration" });
  stage.start().until(10);
  stage.rehearsal.take();
  stage.rehearsal.cut("primary");
  stage.until(1799);
  assert.equal(stage.asked("secondary").length, 0);
  stage.rehearsal.take();
  stage.until(1801).expect(`
    1800.0 * subscription.moved from=primary to=secondary
    1800.0 SUBSCRIBE → secondary
    1800.0 200 ← secondary
  `);
});

test("a renewal that finds the target dead makes the registration move, and goes after it", () => {
  const stage = named({ expiresSeconds: 7200, overlapSeconds: 60 }).start().until(10);
  stage.rehearsal.take();
  stage.rehearsal.kill("primary");
  stage.until(1801).expect(`
    1800.0 SUBSCRIBE → primary
    1800.0 * subscription.ended server=1 target=primary why=transport
    1800.0 REGISTER → primary
    1800.0 REGISTER → secondary
    1800.0 200 ← secondary
    1800.0 * subscription.moved from=primary to=secondary
    1800.0 SUBSCRIBE → secondary
    1800.0 200 ← secondary
  `);
});

test("a basic fallback server is asked for no subscription, and the phone says what it lacks (V1)", () => {
  for (const registration of ["successive", "concurrent"] as const) {
    const stage = withFallback({ registration }).start().until(10);
    stage.rehearsal.cut("primary");
    stage.until(600);
    assert.deepEqual(stage.asked("fallback"), []);
    assert.deepEqual(stage.told("subscription.moved", "package", "from", "to", "limited", "rule"), [
      [
        "message-summary",
        "udp:192.0.2.13:5060",
        "udp:192.0.2.15:5060",
        true,
        "servers.2.features=basic",
      ],
    ]);
    stage.heal("primary").until(1000);
    assert.deepEqual(stage.told("subscription.moved", "to", "limited").at(-1), [
      "udp:192.0.2.13:5060",
      false,
    ]);
    assert.equal(callIds(stage, "primary").size, 2, "set up again by a new dialog");
  }
});

test("a phone that starts at the basic fallback says so, and subscribes when the working server is back", () => {
  const stage = withFallback();
  stage.rehearsal.cut("primary");
  stage.start().until(20);
  stage.heal("primary").until(70);
  assert.deepEqual(stage.told("subscription.moved", "from", "to", "limited"), [
    ["", "udp:192.0.2.15:5060", true],
    ["udp:192.0.2.15:5060", "udp:192.0.2.13:5060", false],
  ]);
  assert.deepEqual(stage.asked("fallback"), []);
  assert.equal(stage.held("primary").length, 1);
});

test("concurrent: of two full servers only the working one holds a subscription (C1)", () => {
  const servers = ["192.0.2.13", "192.0.2.14"].map((address) => defaultServer(address, QUICK));
  const stage = stageOf(servers).start().until(10);
  assert.deepEqual([stage.held("primary").length, stage.held("secondary").length], [1, 0]);
  stage.rehearsal.kill("primary");
  stage.until(560);
  assert.equal(stage.held("secondary").length, 1);
});

test("489 is believed until the server is another one", () => {
  const servers = ["192.0.2.13", "192.0.2.14"].map((address) => defaultServer(address, QUICK));
  const stage = stageOf(servers);
  stage.notifier("primary").habit = () => ({ status: 489 });
  stage.start().until(500);
  assert.equal(stage.asked("primary").length, 1);
  stage.rehearsal.kill("primary");
  stage.until(560);
  assert.equal(stage.held("secondary").length, 1);
});

test("Y4: the maker's file moves the subscription with the registration", () => {
  // The file lets a phone wait up to 20 s before it registers (sip.reg_surge_prevention).
  const stage = new SubscriptionStage(sample("Y4-register-first-static-dns.cfg"), OPTIONS)
    .start()
    .until(25);
  assert.equal(stage.held("primary").length, 1);
  stage.rehearsal.kill("primary");
  stage.rehearsal.do(() => stage.rehearsal.phone.call("2099"));
  stage.until(40);
  assert.equal(stage.held("secondary").length, 1);
});

test("registration nowhere: nothing is sent until there is one", () => {
  const stage = withFallback().start().until(10);
  stage.rehearsal.kill("primary", "fallback");
  stage.until(4000);
  const before = stage.rehearsal.sent.filter(({ method }) => method === "SUBSCRIBE").length;
  stage.until(8000);
  const after = stage.rehearsal.sent.filter(({ method }) => method === "SUBSCRIBE").length;
  assert.equal(after, before);
  stage.hire("primary").until(8100);
  assert.equal(stage.held("primary").length, 1);
});
