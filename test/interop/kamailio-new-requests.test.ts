/**
 * The Yealink sample Y3, as it stands, at two real Kamailio 5.6: failover inside one name, and the primary first for
 * each new request (failback mode newRequests).
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { needs } from "../support/peers.ts";
import { TwoKamailios } from "./two-kamailios.ts";

/** REGISTER and INVITE are resent after 0.5, 1 and 2 s more, and given up 4 s later (RFC 3261 §17.1). */
const RESENT_AFTER = [0, 0.5, 1.5, 3.5];
const GIVEN_UP_AFTER = 7.5;

describe("Y3 and two Kamailio", needs("kamailio", "dnsmasq", "tshark"), () => {
  let stage: TwoKamailios;

  before(async () => {
    const example = "Y3-dns-failover.cfg";
    stage = await TwoKamailios.open(40, { example, user: "2003", password: "store-2003" });
  });

  after(async () => await stage?.close());

  test("it registers at the primary, found by NAPTR, SRV and A, and calls through it", async () => {
    const { phone, primary, secondary } = stage;
    assert.deepEqual(await stage.held(primary), [stage.phoneAddress]);
    assert.deepEqual(await stage.held(secondary), []);
    await stage.call();
    assert.ok(phone.messages("sent", "INVITE ").every(({ peer }) => peer === primary.target));
    await stage.hangUp();
  });

  test("the primary killed, a call and the registration move in under a second (C5, sequence R4)", async () => {
    const { phone, callee, primary, secondary } = stage;
    const from = phone.mark;
    await primary.kill();
    await stage.call();
    assert.ok((await stage.moved("INVITE", "refused", from)).seconds < 1);
    await stage.hangUp();

    await phone.event("registration.accepted", { target: secondary.target }, from);
    assert.ok((await stage.moved("REGISTER", "refused", from)).seconds < 1);
    assert.deepEqual(await stage.held(secondary), [stage.phoneAddress]);

    // Whoever calls it now reaches it through the secondary.
    const reachedFrom = phone.mark;
    callee.command({ do: "call", to: "2003" });
    await phone.event("call.answered", {}, reachedFrom);
    callee.command({ do: "hangup" });
    await phone.event("call.ended", {}, reachedFrom);
  });

  test("the primary back, the very next REGISTER and INVITE go to it (mode newRequests)", async () => {
    const { phone, callee, primary } = stage;
    const from = phone.mark;
    const fromCallee = callee.mark;
    await primary.start();
    await phone.event("registration.accepted", { target: primary.target }, from);
    await phone.event(
      "server.failed-back",
      { toTarget: primary.target, mode: "newRequests" },
      from,
    );
    assert.deepEqual(await stage.held(primary), [stage.phoneAddress]);
    await callee.event("registration.accepted", { target: primary.target }, fromCallee);
    const fromCall = phone.mark;
    await stage.call();
    assert.ok(
      phone.messages("sent", "INVITE ", fromCall).every(({ peer }) => peer === primary.target),
    );
    await stage.hangUp();
  });

  test("the primary silent, both methods move when their retries are spent, at 7.5 s", async () => {
    const { phone, callee, primary, secondary } = stage;
    const from = phone.mark;
    const fromCallee = callee.mark;
    primary.freeze();
    await stage.call();
    await phone.event("registration.accepted", { target: secondary.target }, from);
    for (const method of ["INVITE", "REGISTER"]) {
      const { seconds, sentAt, rule } = await stage.moved(method, "timeout", from);
      assert.match(rule, /etries=3 \(/);
      assert.ok(Math.abs(seconds - GIVEN_UP_AFTER) < 0.4, `${method} moved after ${seconds} s`);
      assert.equal(sentAt.length, RESENT_AFTER.length);
      for (const [index, at] of sentAt.entries()) {
        const late = Math.abs(at - (RESENT_AFTER[index] ?? 0));
        assert.ok(late < 0.2, `${method} ${index + 1} after ${at} s`);
      }
    }
    assert.deepEqual(await stage.held(secondary), [stage.phoneAddress]);

    // It wakes and works off what it had queued: the callee must not ring twice (I7), the call stays.
    primary.thaw();
    await phone.event("server.failed-back", { toTarget: primary.target }, from);
    await phone.event("registration.accepted", { target: primary.target }, from);
    assert.deepEqual(await stage.held(primary), [stage.phoneAddress]);
    assert.equal(callee.all("call.started", {}, fromCallee).length, 1);
    assert.equal(phone.all("call.ended", {}, from).length, 0);
    await stage.hangUp();
  });

  test("stopped, it leaves no binding, and tshark found nothing malformed in any of it", async () => {
    const { phone, primary } = stage;
    assert.equal(await phone.stop(), 0);
    assert.deepEqual(await stage.held(primary), []);
    assert.equal(await stage.callee.stop(), 0);
    await stage.capture.assertClean({ sip: 51, rtp: 51 });
  });
});
