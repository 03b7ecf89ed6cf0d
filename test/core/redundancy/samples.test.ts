/** The makers' example configurations, played through the failures they were written for: what is sent where, and when. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Rehearsal, sample } from "./rehearsal.ts";

test("Y1, sequence R1: REGISTER fallback after three resends, a probe each 120 s, and home with the first that is answered (D14)", () => {
  new Rehearsal(sample("Y1-register-fallback.cfg"), {
    events: ["server.fell-back", "server.failed-back"],
  })
    .start()
    .until(100)
    .zero()
    .cut("primary")
    .until(450)
    .revive("primary")
    .until(690)
    .expect(`
      200.0 REGISTER → primary
      200.5 REGISTER ↻ primary
      201.5 REGISTER ↻ primary
      203.5 REGISTER ↻ primary
      207.5 REGISTER 0 → fallback
      207.5 200 ← fallback
      207.5 REGISTER → fallback
      207.5 200 ← fallback
      207.5 * server.fell-back from=1 to=2
      327.5 REGISTER → primary
      328.0 REGISTER ↻ primary
      329.0 REGISTER ↻ primary
      331.0 REGISTER ↻ primary
      447.5 REGISTER → primary
      448.0 REGISTER ↻ primary
      449.0 REGISTER ↻ primary
      451.0 REGISTER ↻ primary
      451.0 200 ← primary
      451.0 * server.failed-back from=2 to=1 mode=probe
      451.0 REGISTER 0 → fallback
      451.0 200 ← fallback
      451.0 REGISTER → primary
      451.0 200 ← primary
    `);
});

test("Y1: a phone that was restarted removes its old binding before it registers (unregister_on_reboot)", () => {
  new Rehearsal(sample("Y1-register-fallback.cfg")).start().expect(`
      0.0 REGISTER 0 → primary
      0.0 200 ← primary
      0.0 REGISTER → primary
      0.0 200 ← primary
    `);
});

test("Y2, sequences R2 and R8: two registrations; when the working server refuses TCP the call goes to the fallback at once", () => {
  const stage = new Rehearsal(sample("Y2-invite-fallback.cfg"), {
    events: ["server.fell-back", "server.failed-back"],
  }).start();
  stage.expect(`
    0.0 REGISTER → fallback
    0.0 REGISTER → primary
    0.0 200 ← fallback
    0.0 200 ← primary
  `);
  stage.until(10).kill("primary").zero();
  stage
    .do(() => stage.phone.call("2099"))
    .until(2)
    .do((now) => stage.phone.hangup(now));
  stage.expect(`
    0.0 * server.fell-back from=1 to=2
    0.0 INVITE → fallback
    0.0 200 ← fallback
    0.0 ACK → fallback
    2.0 BYE → fallback
    2.0 200 ← fallback
  `);
});

test("Y2: the working server is found back by REGISTER, waiting 30 to 60 s, and then has the calls again (D12)", () => {
  const stage = new Rehearsal(sample("Y2-invite-fallback.cfg"), { methods: ["INVITE"] })
    .start()
    .until(10)
    .kill("primary")
    .until(20)
    .revive("primary")
    .until(80);
  const back = stage.events.find((event) => event.event === "server.failed-back");
  assert.equal(back?.mode, "registration");
  assert.ok(back.at >= 40_000 && back.at <= 70_000, `back after ${back.at} ms`);
  stage
    .do(() => stage.phone.call("2099"))
    .expect(`
    80.0 INVITE → primary
    80.0 200 ← primary
  `);
});

test("Y3, sequence R3: REGISTER fails over inside the name, and the next one due goes to the primary again (D11)", () => {
  new Rehearsal(sample("Y3-dns-failover.cfg"), { events: ["server.failed-back"] })
    .start()
    .cut("primary")
    .until(1000)
    .revive("primary")
    .until(2000)
    .expect(`
      0.0 REGISTER → primary
      0.0 200 ← primary
      900.0 REGISTER → primary
      900.5 REGISTER ↻ primary
      901.5 REGISTER ↻ primary
      903.5 REGISTER ↻ primary
      907.5 REGISTER → secondary
      907.5 200 ← secondary
      1807.5 REGISTER → primary
      1807.5 200 ← primary
      1807.5 * server.failed-back from=1 to=1 toTarget=primary mode=newRequests
    `);
});

test("Y3, sequence R4: INVITE fails over with no REGISTER, and each new one pays the wait at the primary first", () => {
  const stage = new Rehearsal(sample("Y3-dns-failover.cfg"), { methods: ["INVITE", "REGISTER"] })
    .start()
    .until(10)
    .cut("primary")
    .zero();
  stage
    .do(() => stage.phone.call("2099"))
    .until(20)
    .do((now) => stage.phone.hangup(now));
  stage
    .do(() => stage.phone.call("2099"))
    .until(30)
    .expect(`
    0.0 INVITE → primary
    0.5 INVITE ↻ primary
    1.5 INVITE ↻ primary
    3.5 INVITE ↻ primary
    7.5 INVITE → secondary
    7.5 200 ← secondary
    20.0 INVITE → primary
    20.5 INVITE ↻ primary
    21.5 INVITE ↻ primary
    23.5 INVITE ↻ primary
    27.5 INVITE → secondary
    27.5 200 ← secondary
  `);
});

test("Y4, sequence R5: REGISTER at the secondary comes before the INVITE there; the primary is tried 300 s later", () => {
  const stage = new Rehearsal(sample("Y4-register-first-static-dns.cfg"), {
    methods: ["INVITE", "REGISTER"],
    events: ["server.failed-back"],
  })
    .start()
    .until(30)
    .cut("primary")
    .zero();
  stage
    .do(() => stage.phone.call("2099"))
    .until(20)
    .do((now) => stage.phone.hangup(now));
  stage
    .revive("primary")
    .do(() => stage.phone.call("2099"))
    .until(30);
  stage
    .do((now) => stage.phone.hangup(now))
    .until(400)
    .expect(`
    0.0 INVITE → primary
    0.5 INVITE ↻ primary
    1.5 REGISTER → secondary
    1.5 200 ← secondary
    1.5 INVITE → secondary
    1.5 200 ← secondary
    20.0 INVITE → secondary
    20.0 200 ← secondary
    301.5 REGISTER → primary
    301.5 200 ← primary
    301.5 * server.failed-back from=1 to=1 toTarget=primary mode=duration
  `);
});

test("Y4: while a call is up the phone does not move; it does when the call has ended", () => {
  const stage = new Rehearsal(sample("Y4-register-first-static-dns.cfg"), { methods: ["REGISTER"] })
    .start()
    .until(30)
    .cut("primary")
    .zero();
  stage
    .do(() => stage.phone.call("2099"))
    .until(10)
    .revive("primary")
    .until(500);
  stage
    .do((now) => stage.phone.hangup(now))
    .expect(`
    1.5 REGISTER → secondary
    1.5 200 ← secondary
    500.0 REGISTER → primary
    500.0 200 ← primary
  `);
});

test("Y5, sequence R6: primary, secondary, fallback, each with its own wait; then a probe of the whole first server each 60 s", () => {
  const stage = new Rehearsal(sample("Y5-both-levels.cfg"), {
    methods: ["INVITE", "REGISTER"],
    events: ["server.fell-back", "server.failed-back"],
  })
    .start()
    .until(10)
    .cut("primary", "secondary")
    .zero();
  stage
    .do(() => stage.phone.call("2099"))
    .until(40)
    .do((now) => stage.phone.hangup(now));
  stage
    .until(80)
    .revive("secondary")
    .until(100)
    .expect(`
    0.0 INVITE → primary
    0.5 INVITE ↻ primary
    1.5 INVITE ↻ primary
    3.5 INVITE ↻ primary
    7.5 REGISTER → secondary
    8.0 REGISTER ↻ secondary
    9.0 REGISTER ↻ secondary
    11.0 REGISTER ↻ secondary
    15.0 REGISTER → fallback
    15.0 200 ← fallback
    15.0 * server.fell-back from=1 to=2
    15.0 INVITE → fallback
    15.0 200 ← fallback
    75.0 REGISTER → primary
    75.5 REGISTER ↻ primary
    76.5 REGISTER ↻ primary
    78.5 REGISTER ↻ primary
    82.5 REGISTER → secondary
    82.5 200 ← secondary
    82.5 * server.failed-back from=2 to=1 mode=probe
    82.5 REGISTER 0 → fallback
    82.5 200 ← fallback
    82.5 REGISTER → secondary
    82.5 200 ← secondary
  `);
});

test("Y5: from the secondary the primary is tried each time its record has run out, and the secondary stays in service", () => {
  new Rehearsal(sample("Y5-both-levels.cfg"), {
    events: ["server.fell-back", "server.failed-back"],
  })
    .cut("primary")
    .start()
    .until(150)
    .revive("primary")
    .until(220)
    .expect(`
      0.0 REGISTER → primary
      0.5 REGISTER ↻ primary
      1.5 REGISTER ↻ primary
      3.5 REGISTER ↻ primary
      7.5 REGISTER → secondary
      7.5 200 ← secondary
      60.0 REGISTER → primary
      60.5 REGISTER ↻ primary
      61.5 REGISTER ↻ primary
      63.5 REGISTER ↻ primary
      120.0 REGISTER → primary
      120.5 REGISTER ↻ primary
      121.5 REGISTER ↻ primary
      123.5 REGISTER ↻ primary
      180.0 REGISTER → primary
      180.0 200 ← primary
      180.0 * server.failed-back from=1 to=1 toTarget=primary mode=DNSTTL
    `);
});

test("P1: resends each 500 ms, and at 2.0 s the fallback, where the phone is registered already", () => {
  const stage = new Rehearsal(sample("P1-fallback-register-both.xml"), {
    methods: ["INVITE"],
    events: ["server.fell-back"],
  }).start();
  stage.until(10).cut("primary").zero();
  stage
    .do(() => stage.phone.call("2099"))
    .until(30)
    .expect(`
    0.0 INVITE → primary
    0.5 INVITE ↻ primary
    1.0 INVITE ↻ primary
    1.5 INVITE ↻ primary
    2.0 * server.fell-back from=1 to=2
    2.0 INVITE → fallback
    2.0 200 ← fallback
  `);
});

test("P1: a silent working server costs four REGISTERs, then RFC 5626 waits of at most 60, 120, 240 and 300 s", () => {
  const stage = new Rehearsal(sample("P1-fallback-register-both.xml")).cut("primary").start();
  const tries = stage.until(2000).sent.filter(({ to, again }) => to === "primary" && !again);
  const sent = stage.sent.filter(({ to }) => to === "primary");
  assert.ok(tries.length >= 6);
  assert.equal(sent.length, 4 * tries.length);
  const waits = tries.slice(1).map(({ at }, index) => at - (tries[index]?.at ?? 0) - 2000);
  for (const [index, wait] of waits.entries()) {
    const upper = Math.min(300_000, 30_000 * 2 ** (index + 1));
    assert.ok(wait >= upper / 2 && wait <= upper, `wait ${index + 1} was ${wait} ms`);
  }
});

test("P2: the old registration is void, REGISTER then INVITE at the secondary, and REGISTER at the primary after 120 s", () => {
  const stage = new Rehearsal(sample("P2-dns-failover-duration.xml"), {
    methods: ["INVITE", "REGISTER"],
    events: ["server.failed-back"],
  })
    .start()
    .until(10)
    .cut("primary")
    .zero();
  stage
    .do(() => stage.phone.call("2099"))
    .until(20)
    .do((now) => stage.phone.hangup(now));
  stage
    .revive("primary")
    .until(200)
    .expect(`
    0.0 INVITE → primary
    0.5 INVITE ↻ primary
    1.5 INVITE ↻ primary
    3.5 INVITE ↻ primary
    7.5 REGISTER → secondary
    7.5 200 ← secondary
    7.5 INVITE → secondary
    7.5 200 ← secondary
    127.5 REGISTER → primary
    127.5 200 ← primary
    127.5 * server.failed-back from=1 to=1 toTarget=primary mode=duration
  `);
});

test("P2: a trial of the primary in vain leaves the phone at the secondary and is repeated after another 120 s", () => {
  new Rehearsal(sample("P2-dns-failover-duration.xml"), { methods: ["REGISTER"] })
    .cut("primary")
    .start()
    .until(262)
    .expect(`
      0.0 REGISTER → primary
      0.5 REGISTER ↻ primary
      1.5 REGISTER ↻ primary
      3.5 REGISTER ↻ primary
      7.5 REGISTER → secondary
      7.5 200 ← secondary
      127.5 REGISTER → primary
      128.0 REGISTER ↻ primary
      129.0 REGISTER ↻ primary
      131.0 REGISTER ↻ primary
      255.0 REGISTER → primary
      255.5 REGISTER ↻ primary
      256.5 REGISTER ↻ primary
      258.5 REGISTER ↻ primary
    `);
});
