/** How a registration is kept, and what happens when it cannot be had (redundancy.md §5). */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  defaultAccount,
  defaultPolicy,
  defaultServer,
} from "../../../src/core/redundancy/policy-defaults.ts";
import { PHONE_6, Rehearsal } from "./rehearsal.ts";
import { says } from "./scripted-server.ts";
import { calm, concurrent, FALLBACK, failover, successive } from "./stages.ts";

test("423 asks for the lifetime that the registrar wants (R25)", () => {
  const stage = failover({ expiresSeconds: 30 });
  stage.server("primary").habits = {
    REGISTER: (request) =>
      Number(request.headers.get("expires")) < 300
        ? [{ status: 423, headers: { "min-expires": "300" } }]
        : stage.server("primary").yes(request),
  };
  stage.start();
  assert.deepEqual(
    stage.sent.map(({ text }) => /^Expires: (\d+)/m.exec(text)?.[1]),
    ["30", "300"],
  );
});

test("renewal comes the overlap before the end, and at half the lifetime where that is too short", () => {
  const lifetimes: readonly [number, number | "half", number][] = [
    [600, 60, 540],
    [3600, 60, 3540],
    [300, 5, 295],
    [60, 60, 30],
    [40, 100, 20],
    [100, "half", 50],
  ];
  for (const [expiresSeconds, overlapSeconds, renewed] of lifetimes) {
    const stage = failover({ expiresSeconds, overlapSeconds })
      .start()
      .until(renewed + 1);
    const second = stage.sent[1];
    assert.equal(second?.at, renewed * 1000, `${expiresSeconds} s with overlap ${overlapSeconds}`);
  }
});

test("the lifetime that counts is the one granted to our own Contact, not the one asked for (R23)", () => {
  const stage = failover({ expiresSeconds: 3600, overlapSeconds: 60 });
  stage.server("primary").habits = {
    REGISTER: (request) => [
      { status: 200, headers: { contact: `${request.headers.get("contact")};expires=90` } },
    ],
  };
  stage.start().until(31);
  assert.equal(stage.sent[1]?.at, 30_000);
});

test("a binding of a single second is renewed at half of it, not when it has run out", () => {
  const stage = failover({ expiresSeconds: 30, overlapSeconds: 30 });
  stage.server("primary").habits = {
    REGISTER: (request) => [
      { status: 200, headers: { contact: `${request.headers.get("contact")};expires=1` } },
    ],
  };
  stage.start().until(1);
  assert.equal(stage.sent[1]?.at, 500);
});

test("jitter takes up to its share off the wait, never more and never adds (C22)", () => {
  const waits = new Set<number>();
  for (let seed = 1; seed <= 30; seed += 1) {
    const stage = failover(
      { expiresSeconds: 600, overlapSeconds: 100 },
      { refreshJitter: 0.2 },
      { seed },
    );
    const second = stage.start().until(501).sent[1];
    assert.ok(second !== undefined && second.at >= 400_000 && second.at <= 500_000);
    waits.add(Math.round(second.at / 10_000));
  }
  assert.ok(waits.size > 5, "the waits differ");
});

test("start-up waits a random part of the surge time", () => {
  const waits = new Set<number>();
  for (let seed = 1; seed <= 20; seed += 1) {
    const stage = failover({}, { startSurgeMs: 60_000 }, { seed }).start().until(60);
    const first = stage.sent[0];
    assert.ok(first !== undefined);
    waits.add(Math.round(first.at / 6000));
  }
  assert.ok(waits.size > 4, "the waits differ");
});

test("an answer without our Contact is no registration", () => {
  const stage = failover({}, {}, { events: ["registration.failed"] });
  stage.server("primary").habits = { REGISTER: says(200, { contact: "<sip:other@192.0.2.9>" }) };
  stage.start().expect(`
    0.0 REGISTER → primary
    0.0 200 ← primary
    0.0 * registration.failed server=1 target=primary why=rejected status=200
  `);
});

test("all down: every round ends in the back-off and begins at the top; it never ends (C7, C9, C21)", () => {
  const stage = successive({}, { methods: ["REGISTER"] })
    .kill("primary", "fallback")
    .start();
  stage.until(61).expect(`
    0.0 REGISTER → primary
    0.0 REGISTER → fallback
    30.0 REGISTER → primary
    30.0 REGISTER → fallback
    60.0 REGISTER → primary
    60.0 REGISTER → fallback
  `);
  stage.until(36_000).take();
  stage.until(36_031);
  assert.equal(stage.take().length, 2, "ten hours later it still tries");
});

test("all down, and only the fallback returns: the phone registers there within one back-off (C7)", () => {
  successive({}, { events: ["server.fell-back"] })
    .kill("primary", "fallback")
    .start()
    .until(40)
    .revive("fallback")
    .until(61)
    .expect(`
      0.0 REGISTER → primary
      0.0 REGISTER → fallback
      30.0 REGISTER → primary
      30.0 REGISTER → fallback
      60.0 REGISTER → primary
      60.0 REGISTER → fallback
      60.0 200 ← fallback
      60.0 * server.fell-back from=1 to=2
    `);
});

test("concurrent: one of two servers is success, and the other is tried again for ever (C8)", () => {
  const stage = concurrent({}, { events: ["server.fell-back"] })
    .kill("primary")
    .start();
  stage.until(61).expect(`
    0.0 REGISTER → primary
    0.0 REGISTER → fallback
    0.0 * server.fell-back from=1 to=2
    0.0 200 ← fallback
    30.0 REGISTER → primary
    60.0 REGISTER → primary
  `);
});

test("concurrent: with every server away the working one does not change back and forth", () => {
  concurrent({}, { methods: [], events: ["server.fell-back", "server.failed-back"] })
    .kill("primary", "fallback")
    .start()
    .until(100)
    .revive("primary")
    .until(130)
    .expect(`
      0.0 * server.fell-back from=1 to=2
      120.0 * server.failed-back from=2 to=1 mode=registration
    `);
});

test("concurrent: a server that is being tried is not taken for back before it has answered", () => {
  const stage = concurrent(
    { backoff: { kind: "fixed", intervalMs: 5000 } },
    { methods: ["INVITE"], events: ["server.fell-back", "server.failed-back"] },
  );
  stage.server("fallback").habits = {
    REGISTER: (request) => [
      { status: 200, headers: { contact: `${request.headers.get("contact")};expires=20` } },
    ],
  };
  stage
    .cut("primary")
    .start()
    .until(60)
    .expect(`
    7.5 * server.fell-back from=1 to=2
  `);
});

test("concurrent: while a server stays away the others are not renewed again and again", () => {
  const stage = concurrent({ backoff: { kind: "fixed", intervalMs: 1000 } }).start();
  stage.until(500).kill("primary").until(1200);
  const renewals = stage.sent.filter((one) => one.to === "fallback" && one.method === "REGISTER");
  assert.deepEqual(
    renewals.map(({ at }) => Math.round(at / 1000)),
    [0, 540, 1080],
  );
});

test("successive: at most one live binding is wanted; the probe that is answered ends the other (I5, C6)", () => {
  const stage = successive({ probeIntervalMs: 20_000 }, { events: ["server.failed-back"] });
  stage
    .kill("primary")
    .start()
    .until(10)
    .revive("primary")
    .until(30)
    .expect(`
    0.0 REGISTER → primary
    0.0 REGISTER → fallback
    0.0 200 ← fallback
    20.0 REGISTER → primary
    20.0 200 ← primary
    20.0 * server.failed-back from=2 to=1 mode=probe
    20.0 REGISTER 0 → fallback
    20.0 200 ← fallback
    20.0 REGISTER → primary
    20.0 200 ← primary
  `);
});

test("a binding whose flow breaks is registered again at once (C11, C32)", () => {
  const server = { port: 5060, transport: "tcp" as const };
  const stage = failover(server, {}, { events: ["registration.interrupted"] })
    .start()
    .until(10);
  stage
    .kill("primary")
    .until(11)
    .expect(`
    0.0 REGISTER → primary
    0.0 200 ← primary
    10.0 * registration.interrupted server=1 target=primary why=reset
    10.0 REGISTER → secondary
    10.0 200 ← secondary
  `);
});

test("a closed port is noticed by the keep-alive, long before the renewal (C31)", () => {
  const stage = failover({}, { keepAliveMs: 30_000 }, { events: ["registration.interrupted"] });
  stage
    .start()
    .until(40)
    .kill("primary")
    .until(61)
    .expect(`
    0.0 REGISTER → primary
    0.0 200 ← primary
    60.0 * registration.interrupted server=1 target=primary why=refused
    60.0 REGISTER → primary
    60.0 REGISTER → secondary
    60.0 200 ← secondary
  `);
});

test("a name that does not resolve is a failed server; the next one serves (C39)", () => {
  const policy = {
    ...defaultPolicy("gone.example.com", FALLBACK),
    registration: "successive" as const,
    ...calm(),
  };
  const stage = new Rehearsal([defaultAccount("2001", policy)], { events: ["server.unresolved"] });
  stage.start().expect(`
    0.0 * server.unresolved server=1 why=no-records
    0.0 REGISTER → fallback
    0.0 200 ← fallback
  `);
  const failed = stage.events.find(({ event }) => event === "registration.failed");
  assert.equal(failed?.target, undefined, "a name is no target");
  assert.equal(failed?.name, "gone.example.com");
});

test("a phone on IPv4 is at its primary where the name has an address of IPv6, too, and waits for no answer about it", () => {
  const server = defaultServer("both.example.com", { port: 5060 });
  const policy = { ...defaultPolicy(server), ...calm() };
  const stage = new Rehearsal([defaultAccount("2001", policy)], {
    zone: "both.example.com. 60 IN AAAA 2001:db8::13\nboth.example.com. 60 IN A 192.0.2.13",
    events: ["server.resolved", "server.suspected", "request.failed-over"],
  });
  stage.start().expect(`
    0.0 * server.resolved server=1
    0.0 REGISTER → primary
    0.0 200 ← primary
  `);
  const resolved = stage.events.find(({ event }) => event === "server.resolved");
  assert.equal(resolved?.targets, "udp:192.0.2.13:5060");
});

test("a phone on IPv6 asks for addresses of IPv6, and one at :: for both families", () => {
  const server = defaultServer("both.example.com", { port: 5060 });
  const policy = { ...defaultPolicy(server), ...calm() };
  const zone = "both.example.com. 60 IN AAAA 2001:db8::13\nboth.example.com. 60 IN A 192.0.2.13";
  for (const [bindAddress, targets] of [
    [PHONE_6, "udp:[2001:db8::13]:5060"],
    ["::", "udp:[2001:db8::13]:5060 udp:192.0.2.13:5060"],
  ] as const) {
    const account = defaultAccount("2001", policy);
    const stage = new Rehearsal([account], { zone, bindAddress }).start().until(1);
    const resolved = stage.events.find(({ event }) => event === "server.resolved");
    assert.equal(resolved?.targets, targets);
  }
});

test("a silent resolver does not stop renewals: what was resolved once serves on (C39)", () => {
  const stage = failover({ expiresSeconds: 600, overlapSeconds: 60 }).start().until(10);
  stage.dns.state = "silent";
  stage.until(600).expect(`
    0.0 REGISTER → primary
    0.0 200 ← primary
    541.8 REGISTER → primary
    541.8 200 ← primary
  `);
});

test("stop removes every binding and leaves no timer, transaction or question (I8)", () => {
  for (const stage of [concurrent(), successive(), failover()]) {
    stage.start().until(100).zero();
    stage.do((now) => stage.phone.stop(now)).until(1);
    assert.ok(stage.take().every((line) => / 0 → |200 ←/.test(line)));
    assert.equal(stage.phone.atRest, true);
    stage.do(() => stage.machine.close());
    assert.equal(stage.machine.holdings, 0);
    assert.equal(stage.host.holdings, 0);
  }
});

test("stop while nothing answers ends within the patience of one attempt, and close ends all at once (I8)", () => {
  for (const make of [concurrent, successive, failover]) {
    const stage = make().cut("primary", "secondary", "fallback").start().until(3);
    stage.do((now) => stage.phone.stop(now));
    const before = stage.sent.length;
    stage.do(() => stage.machine.close()).until(200);
    assert.equal(stage.sent.length, before, "nothing is sent any more");
    assert.equal(stage.machine.holdings, 0);
  }
});

test("what stands is made sure of once the other binding is removed: servers may share one location", () => {
  const stage = successive({ probeIntervalMs: 20_000 }, { events: ["registration.accepted"] });
  stage.kill("primary").start().until(10).revive("primary").until(19).take();
  stage.until(30).expect(`
    20.0 REGISTER → primary
    20.0 200 ← primary
    20.0 * registration.accepted server=1 target=primary
    20.0 REGISTER 0 → fallback
    20.0 200 ← fallback
    20.0 REGISTER → primary
    20.0 200 ← primary
    20.0 * registration.accepted server=1 target=primary
  `);
});

test("stop while a call is up says goodbye and registers nowhere for it (I8)", () => {
  const stage = successive({ probeIntervalMs: 20_000 }).start().until(10);
  const registered = (): number =>
    stage.sent.filter(({ text }) => /^REGISTER /.test(text) && !/^Expires: 0\r$/m.test(text))
      .length;
  stage
    .do(() => stage.phone.call("2099"))
    .until(20)
    .kill("primary");
  const before = registered();
  stage.do((now) => stage.phone.stop(now)).until(300);
  assert.ok(stage.sent.some(({ method }) => method === "BYE"));
  assert.equal(registered(), before);
  assert.equal(stage.phone.atRest, true);
});
