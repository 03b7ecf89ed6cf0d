/**
 * The Polycom sample P2 at two real Kamailio 5.6: it re-registers on failover, stays where it is for the time that
 * failBack.timeout says (here the least that phones take, 60 s), and then comes back.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { needs } from "../support/peers.ts";
import type { DialtoneEvent } from "../support/processes-dialtone.ts";
import { TwoKamailios } from "./two-kamailios.ts";

const GIVEN_UP_AFTER = 7.5;
const FAILBACK_AFTER = 60;

describe("P2 and two Kamailio", needs("kamailio", "dnsmasq", "tshark"), () => {
  let stage: TwoKamailios;
  let arrived: DialtoneEvent;

  before(async () => {
    stage = await TwoKamailios.open(41, {
      example: "P2-dns-failover-duration.xml",
      instead: () => ({ 'failBack.timeout="120"': `failBack.timeout="${FAILBACK_AFTER}"` }),
      user: "4002",
      password: "ward-4002",
    });
  });

  after(async () => await stage?.close());

  test("the primary silent, the registration moves when its retries are spent, at 7.5 s", async () => {
    const { phone, primary, secondary } = stage;
    assert.deepEqual(await stage.held(primary), [stage.phoneAddress]);
    const from = phone.mark;
    primary.freeze();
    const { seconds, sentAt, rule } = await stage.moved("REGISTER", "timeout", from);
    assert.ok(Math.abs(seconds - GIVEN_UP_AFTER) < 0.4, `moved after ${seconds} s`);
    assert.equal(sentAt.length, 4);
    assert.match(rule, /registerRetries=3 \(.*P2-dns-failover-duration\.xml:\d+\)/);
    arrived = await phone.event("registration.accepted", { target: secondary.target }, from);
    assert.deepEqual(await stage.held(secondary), [stage.phoneAddress]);
  });

  test("the primary back, requests stay away from it until the time is up (mode duration)", async () => {
    const { phone, callee, primary, secondary } = stage;
    const from = phone.events.indexOf(arrived);
    const fromCallee = callee.mark;
    primary.thaw();
    await callee.event("registration.accepted", { target: primary.target }, fromCallee);
    await stage.call();
    await stage.hangUp();

    const wanted = { toTarget: primary.target, mode: "duration" };
    const returned = await phone.event("server.failed-back", wanted, from, 70_000);
    assert.match(String(returned.rule), /failbackSeconds=60 \(.*P2-.*xml:\d+\)/);
    const sent = stage.requests(from);
    const home = sent.find(({ peer }) => peer === primary.target);
    assert.ok(home !== undefined);
    assert.match(home.startLine, /^REGISTER /);
    const away = (home.at - arrived.at) / 1000;
    assert.ok(Math.abs(away - FAILBACK_AFTER) < 0.5, `it came back after ${away} s`);
    assert.ok(sent.filter(({ peer }) => peer === secondary.target).length > 10);
    assert.deepEqual(await stage.held(primary), [stage.phoneAddress]);
  });

  test("the primary killed, a call re-registers and moves in under a second (sequence R5)", async () => {
    const { phone, primary, secondary } = stage;
    const from = phone.mark;
    await primary.kill();
    await stage.call();
    assert.ok((await stage.moved("INVITE", "refused", from)).seconds < 1);
    const names = new Map([
      [primary.target, "primary"],
      [secondary.target, "secondary"],
    ]);
    const order = stage
      .requests(from)
      .map(({ startLine, peer }) => `${startLine.split(" ")[0]} ${names.get(peer)}`);
    assert.deepEqual(
      order.filter((step, index) => step !== order[index - 1]),
      ["INVITE primary", "REGISTER secondary", "INVITE secondary"],
    );
    assert.deepEqual(await stage.held(secondary), [stage.phoneAddress]);
    await stage.hangUp();
  });

  test("stopped, it leaves no binding, and tshark found nothing malformed in any of it", async () => {
    assert.equal(await stage.phone.stop(), 0);
    assert.deepEqual(await stage.held(stage.secondary), []);
    assert.equal(await stage.callee.stop(), 0);
    await stage.capture.assertClean({ sip: 101, rtp: 1 });
  });
});
