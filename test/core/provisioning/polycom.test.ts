import assert from "node:assert/strict";
import { test } from "node:test";
import { account, faults, has, sample, server } from "./samples.ts";

test("P1 registers at both addresses at once and resends each 500 ms", () => {
  const phone = sample("P1-fallback-register-both.xml");
  assert.deepEqual(faults(phone), []);
  has(account(phone), {
    index: 1,
    enabled: true,
    user: "4001",
    displayName: "Ward 1",
    password: "ward-4001",
  });
  has(account(phone).redundancy, {
    registration: "concurrent",
    backoff: { kind: "rfc5626", baseMs: 30_000, maxMs: 300_000 },
    srvOrder: "rfc2782",
    inviteUnregistered: true,
  });
  const common = { port: 5060, transport: "udp", register: true } as const;
  has(server(phone, 1), {
    ...common,
    address: "192.0.2.13",
    features: "full",
    overlapSeconds: 60,
    registerRetries: 3,
    inviteRetries: 3,
    retryIntervalMs: 500,
  });
  has(server(phone, 2), {
    ...common,
    address: "192.0.2.15",
    features: "basic",
    expiresSeconds: 900,
    registerRetries: 2,
    inviteRetries: 2,
    retryIntervalMs: 0,
  });
});

test("P2 takes the global server with every failover option on, back after 120 s", () => {
  const phone = sample("P2-dns-failover-duration.xml");
  has(server(phone, 1), {
    address: "pbx.example.com",
    port: 0,
    transport: "naptr",
    expiresSeconds: 1800,
    overlapSeconds: 120,
    registerOnFailover: true,
    dropRegistrationOnFailover: true,
    onlySignalWithRegistered: true,
    failbackMode: "duration",
    failbackSeconds: 120,
  });
});

test("P3's own server row hides the global row whole", () => {
  const phone = sample("P3-line-overrides-globals.xml");
  assert.deepEqual(faults(phone), []);
  has(server(phone, 1), {
    address: "pbx.example.com",
    failbackMode: "registration",
    registerOnFailover: true,
    dropRegistrationOnFailover: false,
    onlySignalWithRegistered: false,
  });
  const hidden = phone.readings.filter(({ key }) => key.startsWith("voIpProt"));
  assert.deepEqual(
    hidden.map(({ outcome }) => outcome),
    ["overridden", "overridden"],
  );
});
