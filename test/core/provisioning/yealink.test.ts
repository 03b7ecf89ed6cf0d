import assert from "node:assert/strict";
import { test } from "node:test";
import { account, faults, has, sample, server } from "./samples.ts";

test("Y1 becomes successive registration at two addresses, probed each 120 s (R1)", () => {
  const phone = sample("Y1-register-fallback.cfg");
  assert.deepEqual(faults(phone), []);
  has(account(phone), {
    index: 1,
    enabled: true,
    user: "2001",
    authName: "2001",
    password: "reception-2001",
    displayName: "Reception",
    domain: undefined,
    unregisterOnStart: true,
  });
  has(account(phone).redundancy, {
    registration: "successive",
    probeIntervalMs: 120_000,
    backoff: { kind: "fixed", intervalMs: 30_000 },
    srvOrder: "highest-weight-first",
    strictLastTarget: false,
    proxies: [],
  });
  const both = { port: 5060, transport: "udp", expiresSeconds: 600, registerRetries: 3 } as const;
  has(server(phone, 1), { address: "192.0.2.13", features: "full", ...both });
  has(server(phone, 2), { address: "192.0.2.15", features: "basic", ...both });
  assert.equal(account(phone).redundancy.servers.length, 2);
});

test("Y2 becomes concurrent registration with the back-off of RFC 5626 (R2, R8)", () => {
  const phone = sample("Y2-invite-fallback.cfg");
  assert.deepEqual(faults(phone), []);
  has(account(phone).redundancy, {
    registration: "concurrent",
    backoff: { kind: "rfc5626", baseMs: 30_000, maxMs: 600_000 },
    keepAliveMs: 30_000,
  });
  has(account(phone), { subscribeOverlapSeconds: 60 });
  has(server(phone, 1), {
    transport: "tcp",
    registerRetries: 2,
    inviteRetries: 2,
    overlapSeconds: 60,
  });
  has(server(phone, 2), { transport: "udp", expiresSeconds: 900, overlapSeconds: 60 });
});

test("Y3 asks NAPTR for its one name and tries the primary with each new request (R3, R4)", () => {
  const phone = sample("Y3-dns-failover.cfg");
  assert.deepEqual(faults(phone), []);
  has(server(phone, 1), {
    address: "pbx.example.com",
    port: 0,
    transport: "naptr",
    expiresSeconds: 1800,
    failbackMode: "newRequests",
    registerOnFailover: false,
  });
  const { redundancy } = account(phone);
  has(redundancy, { srvTransports: "all" });
  has(redundancy.dns, { cache: true, useAdditional: true, records: [] });
});

test("Y4 registers first, returns after 300 s and carries its names with it (R5)", () => {
  const phone = sample("Y4-register-first-static-dns.cfg");
  assert.deepEqual(faults(phone), []);
  has(server(phone, 1), {
    registerRetries: 1,
    inviteRetries: 1,
    failbackMode: "duration",
    failbackSeconds: 300,
    registerOnFailover: true,
    onlySignalWithRegistered: true,
    resubscribeOnFailover: true,
  });
  const { redundancy, messageWaiting } = account(phone);
  assert.equal(messageWaiting, true);
  has(redundancy, { startSurgeMs: 20_000, skipSameAddress: true, t1Ms: 500, t2Ms: 4000 });
  has(redundancy.dns, { staticFirst: true, cache: true, useAdditional: false });
  assert.deepEqual(
    redundancy.dns.records.map((record) => `${record.type} ${record.name} ${record.ttl}`),
    [
      "NAPTR pbx.example.com 300",
      "SRV _sip._udp.pbx.example.com 300",
      "SRV _sip._udp.pbx.example.com 300",
      "A a.pbx.example.com 300",
      "A b.pbx.example.com 300",
    ],
  );
  assert.deepEqual(redundancy.dns.records[0], {
    type: "NAPTR",
    name: "pbx.example.com",
    ttl: 300,
    order: 90,
    preference: 50,
    flags: "S",
    service: "SIP+D2U",
    regexp: "",
    replacement: "_sip._udp.pbx.example.com",
  });
});

test("Y5 has both levels: two addresses of server 1, then the gateway (R6)", () => {
  const phone = sample("Y5-both-levels.cfg");
  has(account(phone).redundancy, { registration: "successive", probeIntervalMs: 60_000 });
  has(server(phone, 1), {
    address: "dual.pbx.example.com",
    port: 5060,
    failbackMode: "DNSTTL",
    registerOnFailover: true,
  });
  has(server(phone, 2), { address: "gw.branch.pbx.example.com", failbackMode: "newRequests" });
});
