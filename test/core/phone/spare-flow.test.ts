/** Several flows of one phone: RFC 5626 §4.2.1, §4.3, §4.5. Times are seconds. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { defaultServer } from "../../../src/core/redundancy/policy-defaults.ts";
import { SILENT, says } from "../redundancy/scripted-server.ts";
import { grants, last, proxied, regIds, TCP } from "./flows.ts";

suite("with two outbound proxies", () => {
  const EVENTS = ["flow.registered", "flow.interrupted", "flow.failed"];

  test("the phone keeps a flow to each, with a number of its own (R90)", () => {
    const stage = proxied({}, { events: EVENTS, methods: ["REGISTER"] }).start();
    stage.expect(`
      0.0 REGISTER → proxy1
      0.0 200 ← proxy1
      0.0 REGISTER → proxy2
      0.0 200 ← proxy2
      0.0 * flow.registered server=1 target=proxy2
    `);
    assert.deepEqual([regIds(stage, "proxy1"), regIds(stage, "proxy2")], [["1"], ["101"]]);
  });

  test("it keeps only one where flows are not told apart (R91)", () => {
    const stage = proxied();
    for (const name of ["proxy1", "proxy2"] as const) stage.server(name).habits = {};
    stage.start().until(60);
    assert.deepEqual(regIds(stage, "proxy2"), []);
  });

  test("a second proxy that knows no outbound is left alone, and not told a plain Contact (R92)", () => {
    const stage = proxied({}, { events: EVENTS, methods: [] });
    stage.server("proxy2").habits = { REGISTER: says(439) };
    stage.start().until(80);
    assert.deepEqual(regIds(stage, "proxy2"), ["101"]);
    stage.expect("0.0 * flow.failed server=1 target=proxy2 why=rejected status=439");
  });

  test("a call leaves over the living flow when the first proxy is dead, and waits for no REGISTER (R93)", () => {
    const stage = proxied({}, { methods: ["INVITE", "REGISTER"] })
      .start()
      .until(3)
      .zero();
    stage.simulation.network.partition("proxy1", ["192.0.2.33"]);
    stage.server("proxy2").habits = { REGISTER: SILENT };
    stage.do(() => stage.phone.call("9000")).until(9);
    const lines = stage.take();
    assert.equal(lines[0], "0.0 INVITE → proxy1");
    assert.ok(lines.includes("7.5 INVITE → proxy2"), lines.join("\n"));
    assert.ok(lines.includes("7.5 200 ← proxy2"));
  });

  test("a call goes straight over the living flow while the first is known to be mute (R93)", () => {
    const stage = proxied({ keepAliveMs: 5000 }, { methods: ["INVITE"] })
      .start()
      .until(3);
    stage.cut("proxy1").until(16.9).zero();
    stage
      .do(() => stage.phone.call("9000"))
      .expect(`
      0.0 INVITE → proxy2
      0.0 200 ← proxy2
    `);
  });

  test("when the first dies the registration moves to the second, and the second flow to the first as it returns (R90, R98)", () => {
    const backoff = { kind: "fixed", intervalMs: 10_000 } as const;
    const stage = proxied({ backoff }, { events: EVENTS, methods: ["REGISTER"] });
    stage.start().until(60).zero().kill("proxy1");
    stage.until(10).expect(`
      0.0 REGISTER → proxy2
      0.0 200 ← proxy2
      0.0 * flow.failed server=1 target=proxy1 why=transport status=undefined
    `);
    stage.revive("proxy1");
    stage.server("proxy1").habits = { REGISTER: grants() };
    stage.until(200);
    assert.deepEqual(regIds(stage, "proxy1").slice(1).includes("101"), true);
    assert.equal(last(stage, "proxy2", "REGISTER").headers.get("contact")?.endsWith("101"), true);
  });

  test("after that, too, dialogs are to come back over the flow they began on (RFC 5626 §4.3)", () => {
    const stage = proxied().start().until(60).kill("proxy1").until(61);
    stage.do(() => stage.phone.call("9000"));
    assert.match(last(stage, "proxy2", "INVITE").headers.get("contact") ?? "", /;ob>$/);
  });

  test("each flow keeps its Call-ID wherever it goes: a new one would be a new phone to Kamailio (C25)", () => {
    const stage = proxied().start().until(60).kill("proxy1").until(100).revive("proxy1");
    stage.server("proxy1").habits = { REGISTER: grants() };
    stage.until(400);
    const calls = new Map<string, Set<string | undefined>>();
    for (const name of ["proxy1", "proxy2"] as const) {
      for (const { headers } of stage.server(name).requests) {
        const regId = /reg-id=(\d+)/.exec(headers.get("contact") ?? "")?.[1] ?? "";
        calls.set(regId, (calls.get(regId) ?? new Set()).add(headers.get("call-id")));
      }
    }
    assert.deepEqual([...calls.keys()].sort(), ["1", "101"]);
    for (const ids of calls.values()) assert.equal(ids.size, 1);
  });

  test("stopped while the second flow has nowhere to go, it takes away what that left behind (C25)", () => {
    const backoff = { kind: "fixed", intervalMs: 10_000 } as const;
    const stage = proxied({ backoff, proxyProbeIntervalMs: 600_000 }).start();
    stage.until(60).kill("proxy1").until(70).revive("proxy1");
    stage.server("proxy1").habits = { REGISTER: grants() };
    stage.until(130).kill("proxy2").until(150);
    stage.do((now) => stage.phone.stop(now)).until(152);
    const removed = stage
      .server("proxy1")
      .requests.filter(({ headers }) => headers.get("expires") === "0")
      .map(({ headers }) => /reg-id=(\d+)/.exec(headers.get("contact") ?? "")?.[1]);
    assert.deepEqual(removed.sort(), ["1", "101"]);
  });

  test("a proxy left for dead that registers it late after all does not have the last word (R98)", () => {
    const stage = proxied();
    stage.server("proxy1").habits = {
      REGISTER: (request, now) =>
        grants()(request, now).map((reply) => ({ ...reply, afterMs: 9000 })),
    };
    stage.start().until(11);
    assert.deepEqual(
      stage.sent
        .filter(({ text }) => text.includes("reg-id=1\r\n"))
        .map(({ at, to }) => `${at / 1000} ${to}`),
      ["0 proxy1", "7.5 proxy2", "10 proxy2"],
    );
  });

  test("while one flow lives the other is tried with three times the wait: 90 to 180 s at first (R97)", () => {
    const backoff = { kind: "rfc5626", baseMs: 30_000, maxMs: 1_800_000 } as const;
    const waits: number[] = [];
    const stage = proxied({ backoff }, { seed: 3 });
    stage.server("proxy2").habits = { REGISTER: says(500) };
    stage.start().until(4000);
    const tries = stage.sent.filter(({ to, method }) => to === "proxy2" && method === "REGISTER");
    for (const [index, { at }] of tries.entries())
      waits.push((at - (tries[index - 1]?.at ?? at)) / 1000);
    const [, first = 0, second = 0, third = 0] = waits;
    assert.ok(first >= 90 && first <= 180, `${first}`);
    assert.ok(second >= 180 && second <= 360, `${second}`);
    assert.ok(third >= 360 && third <= 720, `${third}`);
  });

  test("left for a better server, the one behind the proxies keeps neither flow, nor is one tried again (C6)", () => {
    const direct = defaultServer("192.0.2.13", { ...TCP, throughProxy: false });
    const behind = defaultServer("192.0.2.15", TCP);
    const successive = { registration: "successive", probeIntervalMs: 20_000 } as const;
    const policy = { ...successive, servers: [direct, behind] };
    const stage = proxied(policy, { methods: ["REGISTER"] })
      .kill("primary")
      .kill("proxy2");
    // The second flow waits to be tried again when the account goes home.
    stage.start().until(10).revive("primary", "proxy2").until(30).zero();
    const kept = ["proxy1", "proxy2"] as const;
    assert.equal(last(stage, "proxy1", "REGISTER").headers.get("expires"), "0");
    stage.until(400);
    assert.deepEqual(
      kept.map((name) => regIds(stage, name)),
      [["2", "2"], []],
    );
  });

  test("stopped, it takes both flows away (C25)", () => {
    const stage = proxied().start().until(5);
    stage.do((now) => stage.phone.stop(now)).until(6);
    for (const name of ["proxy1", "proxy2"] as const) {
      assert.equal(last(stage, name, "REGISTER").headers.get("expires"), "0");
    }
    assert.equal(stage.phone.atRest, true);
    stage.do(() => stage.phone.close());
    assert.equal(stage.machine.holdings > 0, true);
    stage.do(() => stage.machine.close());
    assert.equal(stage.machine.holdings, 0);
  });
});
