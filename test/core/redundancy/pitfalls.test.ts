/** What went wrong elsewhere and must not here: reported cases (C…) that no other test of the engine is about. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readConfiguration } from "../../../src/core/provisioning/read.ts";
import {
  defaultAccount,
  defaultPolicy,
  defaultServer,
} from "../../../src/core/redundancy/policy-defaults.ts";
import { SubscriptionStage } from "../phone/subscription-notifier.ts";
import { Rehearsal } from "./rehearsal.ts";
import { concurrent, failover } from "./stages.ts";

test("a call and a lone request go where the registration went: one choice for all methods (C10)", () => {
  const stage = failover({ registerRetries: 0 }, { keepAliveMs: 0 })
    .cut("primary")
    .start()
    .until(10)
    .zero();
  const to = "sip:2099@example.com";
  const options = { method: "OPTIONS", to, headers: [], body: "", account: undefined };
  stage.do((now) => {
    stage.phone.send(now, options, { final: () => undefined, failed: () => undefined });
  });
  stage.do(() => stage.phone.call("2099"));
  stage.expect(`
    0.0 OPTIONS → secondary
    0.0 200 ← secondary
    0.0 INVITE → secondary
    0.0 200 ← secondary
    0.0 ACK → secondary
  `);
});

test("a call leaves a stopped server as a registration does, with the same clock (C13)", () => {
  const calling = failover({ registerOnFailover: false }, {}, { methods: ["INVITE"] })
    .start()
    .cut("primary")
    .zero();
  calling.do(() => calling.phone.call("2099")).until(10);
  const registering = failover({}, {}, { methods: ["REGISTER"] })
    .cut("primary")
    .start()
    .until(10);
  const times = (stage: Rehearsal): string[] =>
    stage.take().map((line) => line.replace(/INVITE|REGISTER/, "request"));
  assert.deepEqual(times(calling), times(registering));
});

test("a nonce that is too old for the renewal of a subscription is replaced, not despaired of (C30)", () => {
  const policy = defaultPolicy(defaultServer("192.0.2.13", { transport: "udp" }));
  const account = defaultAccount("2001", policy, { messageWaiting: true, password: "s3cret" });
  const stage = new SubscriptionStage([account], {});
  let nonce = "n1";
  stage.notifier("primary").habit = (request) => {
    if (request.headers.get("authorization")?.includes(`nonce="${nonce}"`)) return undefined;
    const challenge = `Digest realm="lab", nonce="${nonce}", stale=${nonce !== "n1"}, qop="auth"`;
    return { status: 401, headers: { "www-authenticate": challenge } };
  };
  stage.start().until(1000);
  nonce = "n2";
  stage.until(1900);
  const asked = stage.asked("primary").map((request) => {
    const credentials = request.headers.get("authorization") ?? "";
    return /nonce="(\w+)"/.exec(credentials)?.[1] ?? "none";
  });
  assert.deepEqual(asked, ["none", "n1", "n1", "n2"]);
  assert.equal(stage.held("primary").length, 1);
});

test("a call that rings is not placed again when its server dies; the next one goes elsewhere (C37)", () => {
  const stage = concurrent({ keepAliveMs: 0 }, { methods: ["INVITE"] })
    .start()
    .until(10)
    .zero();
  stage.server("primary").habits = { INVITE: () => [{ status: 180 }] };
  stage.do(() => stage.phone.call("2099"));
  stage.until(2).kill("primary").until(60);
  stage.do((now) => stage.phone.hangup(now)).until(100);
  stage.take();
  const before = stage.sent.filter(({ method }) => method === "INVITE");
  assert.deepEqual(
    before.map(({ to }) => to),
    ["primary"],
  );
  stage.do(() => stage.phone.call("2099")).until(110);
  assert.equal(stage.sent.filter(({ method }) => method === "INVITE").at(-1)?.to, "fallback");
});

test("the outbound proxy is gone through again after its connection was lost (C38)", () => {
  const proxy = defaultServer("192.0.2.33", { transport: "tcp", port: 5060, throughProxy: false });
  const server = defaultServer("192.0.2.13", { transport: "tcp", port: 5060, throughProxy: true });
  const policy = {
    ...defaultPolicy(server),
    proxies: [proxy],
    backoff: { kind: "fixed", intervalMs: 5000 },
    keepAliveMs: 0,
  } as const;
  const stage = new Rehearsal([defaultAccount("2001", policy)], { methods: ["REGISTER"] })
    .start()
    .until(10)
    .kill("proxy1")
    .until(20)
    .revive("proxy1")
    .until(60);
  stage.do(() => stage.phone.call("2099")).until(65);
  const after = stage.sent.filter(({ at, again }) => at > 20_000 && !again);
  assert.ok(after.some(({ method }) => method === "REGISTER"));
  assert.ok(after.some(({ method }) => method === "INVITE"));
  for (const { to, method } of after) assert.equal(to, "proxy1", method);
});

test("a call shows a death that the registration would see an hour later, and renews that at once (C43)", () => {
  const stage = concurrent({ keepAliveMs: 0 }, { methods: ["INVITE", "REGISTER"] })
    .start()
    .until(10)
    .kill("primary")
    .zero();
  stage.do(() => stage.phone.call("2099")).until(1);
  stage.expect(`
    0.0 INVITE → primary
    0.0 INVITE → fallback
    0.0 REGISTER → primary
    0.0 200 ← fallback
  `);
});

test("the working server of the file stays server 1, wherever the account is now (D13)", () => {
  const stage = concurrent({ keepAliveMs: 0 }).start().until(10).kill("primary");
  assert.equal(stage.account.workingServer, 1);
  stage.do(() => stage.phone.call("2099")).until(20);
  assert.equal(stage.account.workingServer, 2);
  const [first] = stage.account.servers.routes;
  assert.equal(first?.policy.address, "192.0.2.13");
  assert.equal(first?.policy.features, "full");
});

test("a fallback server is basic because of its place in the list, not of the way of registering (D3)", () => {
  for (const type of ["0", "1"]) {
    const text = [
      "#!version:1.0.0.1",
      "account.1.enable = 1",
      "account.1.user_name = 2001",
      "account.1.sip_server.1.address = 192.0.2.13",
      "account.1.sip_server.2.address = 192.0.2.15",
      `account.1.fallback.redundancy_type = ${type}`,
    ].join("\n");
    const { accounts } = readConfiguration([{ name: "phone.cfg", text }]);
    const features = accounts[0]?.redundancy.servers.map((server) => server.features);
    assert.deepEqual(features, ["full", "basic"]);
  }
});
