/** A connection that stands and says nothing (C12, C15, C33), and what hangs on it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Request } from "../../../src/core/message/message.ts";
import { printMessage, responseTo } from "../../../src/core/message/print.ts";
import { SILENT } from "./scripted-server.ts";
import { failover } from "./stages.ts";

const OVER_TCP = { transport: "tcp", registerOnFailover: false } as const;
const QUIET = { keepAliveMs: 0, skipKnownDead: false } as const;

test("a call that finds its connection mute has the phone registered anew over another (C12, C32, C33)", () => {
  const stage = failover(OVER_TCP, QUIET, {
    methods: ["REGISTER", "INVITE"],
    events: ["registration.interrupted"],
  })
    .start()
    .until(10)
    .zero();
  stage.server("primary").habits = { INVITE: SILENT };
  const before = stage.server("primary").requests.length;
  stage
    .do(() => stage.phone.call("2099"))
    .until(20)
    .expect(`
      0.0 INVITE → primary
      7.5 * registration.interrupted server=1 target=primary why=timeout
      7.5 REGISTER → primary
      7.5 INVITE → secondary
      7.5 200 ← primary
      7.5 200 ← secondary
    `);
  assert.equal(stage.server("primary").requests.length - before, 2);
});

test("to be registered first at the secondary takes no connection to a primary that says nothing", () => {
  const stage = failover({ transport: "tcp", registerOnFailover: true }, QUIET, {
    methods: ["REGISTER", "INVITE"],
    events: ["registration.interrupted"],
  })
    .start()
    .until(10)
    .zero();
  stage
    .cut("primary")
    .do(() => stage.phone.call("2099"))
    .until(20)
    .expect(`
      0.0 INVITE → primary
      7.5 * registration.interrupted server=1 target=primary why=timeout
      7.5 REGISTER → secondary
      7.5 200 ← secondary
      7.5 INVITE → secondary
      7.5 200 ← secondary
    `);
});

test("over a connection that was given up a late answer is still heard, and its call ended (R14)", () => {
  const stage = failover(OVER_TCP, QUIET, { methods: ["INVITE", "ACK", "BYE"] })
    .start()
    .until(10)
    .zero();
  const primary = stage.server("primary");
  primary.habits = {
    INVITE: (request) => primary.yes(request).map((reply) => ({ ...reply, afterMs: 20_000 })),
  };
  stage
    .do(() => stage.phone.call("2099"))
    .until(25)
    .expect(`
      0.0 INVITE → primary
      7.5 INVITE → secondary
      7.5 200 ← secondary
      7.5 ACK → secondary
      20.0 200 ← primary
      20.0 ACK → primary
      20.0 BYE → primary
      20.0 200 ← primary
    `);
});

test("while a new connection is sought, who rings over one of its own is heard and keeps the call (C16, §18.2.2)", () => {
  const shown = { methods: ["INVITE"], events: ["call.ringing", "call.ended"] };
  const stage = failover(OVER_TCP, { ...QUIET, keepAliveMs: 10_000 }, shown);
  const primary = stage.server("primary");
  primary.pongs = true;
  primary.habits = { INVITE: SILENT };
  stage
    .start()
    .until(15)
    .cut("primary")
    .until(25)
    .do(() => stage.phone.call("2099"))
    .until(31)
    .revive("primary")
    .until(32);
  const asked = primary.requests.at(-1) as Request;
  const rings = printMessage(responseTo(asked, 180, undefined, "at-primary"));
  stage.hostOf("primary").run(() => primary.ask(rings, "192.0.2.100", "tcp"));
  stage.until(45).expect(`
      25.0 INVITE → primary
      32.0 180 ← primary
      32.0 * call.ringing status=180
    `);
});
