/**
 * The Yealink sample Y2 at two real Kamailio 5.6: TCP to the working server and UDP to the fallback, registered at both
 * at once.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { needs } from "../support/peers.ts";
import type { Dialtone } from "../support/processes-dialtone.ts";
import { TwoKamailios } from "./two-kamailios.ts";

describe("Y2 and two Kamailio", needs("kamailio", "dnsmasq", "tshark"), () => {
  let stage: TwoKamailios;
  let working: string;
  let fallback: string;

  before(async () => {
    stage = await TwoKamailios.open(44, {
      example: "Y2-invite-fallback.cfg",
      instead: (household) => ({
        "192.0.2.13": household.address(13),
        "192.0.2.15": household.address(14),
      }),
      user: "2002",
      password: "workshop-2002",
      tcp: true,
    });
    working = stage.primary.target.replace("udp:", "tcp:");
    fallback = stage.secondary.target;
  });

  after(async () => await stage?.close());

  /** The other phone calls; resolves with the peer that the INVITE came from. */
  const called = async (caller: Dialtone): Promise<string> => {
    const from = stage.phone.mark;
    const fromCaller = caller.mark;
    caller.command({ do: "call", to: "2002" });
    await caller.event("call.answered", {}, fromCaller);
    await stage.phone.event("call.heard", {}, from);
    await caller.event("call.heard", {}, fromCaller);
    caller.command({ do: "hangup" });
    await stage.phone.event("call.ended", {}, from);
    await caller.event("call.ended", {}, fromCaller);
    const peer = stage.phone.messages("received", "INVITE ", from)[0]?.peer ?? "";
    // A server's connection to us comes from any port of its own.
    return peer.replace(/:\d+$/, "");
  };

  test("it registers over TCP at the working server and over UDP at the fallback", async () => {
    const { phone, primary, secondary } = stage;
    await phone.event("registration.accepted", { server: 1, target: working });
    await phone.event("registration.accepted", { server: 2, target: fallback });
    const [there] = await primary.bindings("2002");
    const [here] = await secondary.bindings("2002");
    const place = `sip:2002@${stage.phoneAddress}:`.replaceAll(".", "\\.");
    assert.match(there?.contact ?? "", new RegExp(`^${place}\\d+;transport=tcp$`, "i"));
    assert.match(here?.contact ?? "", new RegExp(`^${place}\\d+$`));
  });

  test("it calls over TCP, and is called over TCP", async () => {
    const { phone } = stage;
    const from = phone.mark;
    await stage.call();
    assert.ok(phone.messages("sent", "INVITE ", from).every(({ peer }) => peer === working));
    await stage.hangUp();
    assert.equal(await called(stage.callee), working.replace(/:\d+$/, ""));
  });

  test("the working server killed, its next call goes by the fallback in under a second (sequence R2)", async () => {
    const { phone, callee, primary, secondary } = stage;
    const from = phone.mark;
    await primary.kill();
    await stage.call();
    const [started] = phone.all("call.started", {}, from);
    const [invite] = phone
      .messages("sent", "INVITE ", from)
      .filter(({ peer }) => peer === fallback);
    assert.ok((invite?.at ?? Number.NaN) - (started?.at ?? Number.NaN) < 1000);
    await stage.hangUp();

    // It was registered there all the time, so that it can be called at once.
    assert.deepEqual(await stage.held(secondary), [stage.phoneAddress]);
    assert.equal(await called(callee), fallback.replace(/:\d+$/, ""));
  });

  test("stopped, it leaves no binding, and tshark found nothing malformed in any of it", async () => {
    assert.equal(await stage.phone.stop(), 0);
    assert.deepEqual(await stage.held(stage.secondary), []);
    assert.equal(await stage.callee.stop(), 0);
    await stage.capture.assertClean({ sip: 51, rtp: 1 });
  });
});
