/** Yealink and Matrix files: samples Y1–Y8, old keys, conditions, and how lines may look. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ServerPolicy } from "../../../src/core/redundancy/policy.ts";
import { account, faults, has, reading, sample, server } from "./samples.ts";

test("Y1 becomes successive registration at two addresses, probed each 120 s (sequence R1)", () => {
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

test("Y2 becomes concurrent registration with the back-off of RFC 5626 (sequences R2 and R8)", () => {
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

test("Y3 asks NAPTR for its one name and tries the primary with each new request (sequences R3 and R4)", () => {
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

test("Y4 registers first, returns after 300 s and carries its names with it (sequence R5)", () => {
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

test("Y5 has both levels: two addresses of server 1, then the gateway (sequence R6)", () => {
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

test("Y6 sends everything through two proxies, which take from sip_server what says -1", () => {
  const phone = sample("Y6-outbound-proxies.cfg");
  const { redundancy } = account(phone);
  has(redundancy, { proxyProbeIntervalMs: 180_000 });
  assert.deepEqual(
    redundancy.proxies.map(({ address, port, registerRetries }) => [
      address,
      port,
      registerRetries,
    ]),
    [
      ["192.0.2.33", 5060, 2],
      ["192.0.2.34", 5060, 2],
    ],
  );
  has(server(phone, 1), { throughProxy: true, failbackMode: "registration" });
  const inherited = phone.origins.get("account.1.redundancy.proxies.1.registerRetries");
  assert.equal(inherited?.key, "account.1.sip_server.1.retry_counts");
  const idle = "failback is among the addresses of a name, and 192.0.2.33 is one address";
  assert.deepEqual(
    phone.faults.map(({ severity, line, wrong }) => [severity, line, wrong]),
    [
      ["warning", 18, idle],
      ["warning", 19, idle],
    ],
  );
});

test("Y7 has two lines, the second at another provider by NAPTR", () => {
  const phone = sample("Y7-tls-two-accounts.cfg");
  assert.deepEqual(faults(phone), []);
  has(server(phone, 2), { transport: "tls", port: 5061, address: "b.pbx.example.com" });
  const second = account(phone, 2);
  has(second, { index: 2, user: "31", password: "provider-31" });
  has(second.redundancy, { srvTransports: "udp" });
  has(second.redundancy.servers[0]!, { transport: "naptr", port: 0, failbackMode: "registration" });
});

test("Y8 gives every fault at once, in the order of the file (C2, D5, D8)", () => {
  const phone = sample("Y8-faults.cfg");
  const y8 = "Y8-faults.cfg";
  const first = "account.1.sip_server.1";
  const oneAddress =
    "failback is among the addresses of a name, and 192.0.2.13 is one address; " +
    "write a domain name as the address, or delete the line";
  assert.deepEqual(faults(phone), [
    `warning ${y8}:9: account.1.fallback.redundancy_type: blank, so the value of ${y8}:8 is undone; ` +
      "delete this line, or write a value",
    `error ${y8}:11: account.1.fallback.timeout: 5 is below 10, the least; ` +
      "write a value in 10..2147483647",
    `warning ${y8}:13: ${first}.failback_timeout: 45 is raised to 60, the least there is; ` +
      "write 60 or more, or 0",
    `warning ${y8}:13: ${first}.failback_timeout: ${oneAddress}`,
    `error ${y8}:15: ${first}.retry_counts: 99 is above 20, the most; write a value in 0..20`,
    `warning ${y8}:17: ${first}.address: it is one address and there is no other server: nothing is ` +
      "left when it fails; write a name with several addresses, or account.1.sip_server.2.address too",
    `warning ${y8}:18: ${first}.failback_mode: ${oneAddress}`,
    `warning ${y8}:20: ${first}.only_signal_with_registered: it needs register_on_enable = 1 and ` +
      `failback_mode 1, 2 or 3; write ${first}.register_on_enable = 1, or delete the line`,
    `warning ${y8}:22: ${first}.transport_type: 192.0.2.13 is an address and NAPTR is for names, so ` +
      "UDP is used; write 0 (UDP), or a domain name with port 0",
    `warning ${y8}:28: ${first}.failover_timeout: no such key; did you mean ` +
      `${first}.failback_timeout? write that, or delete the line`,
  ]);
  has(server(phone, 1), {
    port: 5070,
    transport: "udp",
    expiresSeconds: 3600,
    failbackMode: "newRequests",
    failbackSeconds: 3600,
    onlySignalWithRegistered: false,
  });
  has(account(phone).redundancy, { registration: "concurrent" });
  assert.equal(account(phone).redundancy.servers.length, 1);
});

const LINE = [
  "account.1.enable = 1",
  "account.1.user_name = 2001",
  "account.1.sip_server.1.address = pbx.example.com",
].join("\n");

test("keys of the makers that only look like ours are no slips, in either family", () => {
  const others = [
    "account.1.subscribe_mwi_to_vm = 1",
    "account.1.sip_server_type = 0",
    "account.1.sip_listen_port = 5060",
    "account.1.blf.blf_list_code = *8",
    "sip.listen_mode = 0",
    "sip.tls_listen_port = 5061",
  ].join("\n");
  assert.deepEqual(
    reading(`${LINE}\n${others}\n`).faults.map(({ code }) => code),
    ["version-line"],
  );
  const polycom = `<p reg.1.address="1" reg.1.server.1.address="pbx.example.com" reg.1.dialPlanName=""
    voIpProt.server.1.protocol.SIP="1"/>`;
  assert.deepEqual(reading(polycom, "phone.xml").faults, []);
});

test("CR LF, bare CR and spaces around the sign are no matter", () => {
  for (const end of ["\r\n", "\r", "\n"]) {
    const text = `#!version:1.0.0.1${end}${LINE.replaceAll("\n", end).replaceAll(" = ", "  =")}${end}`;
    const phone = reading(text);
    assert.deepEqual(faults(phone), []);
    has(account(phone), { user: "2001" });
    assert.equal(phone.origins.get("account.1.user")?.line, 3);
  }
});

test("a byte-order mark or a missing version line is told, and the file is read", () => {
  const marked = reading(`\uFEFF#!version:1.0.0.1\n${LINE}`);
  const bare = reading(LINE);
  const other = reading(`#!version:2\n${LINE}`);
  for (const [phone, key] of [
    [marked, "byte-order mark"],
    [bare, "a phone refuses"],
    [other, "not the one"],
  ] as const) {
    has(account(phone), { user: "2001", enabled: true });
    assert.equal(phone.faults.length, 1);
    has(phone.faults[0]!, { severity: "warning", line: 1, key: "#!version" });
    assert.match(phone.faults[0]!.wrong, new RegExp(key));
  }
});

test("a line that is no assignment is an error that does not repeat the line", () => {
  const phone = reading(`#!version:1.0.0.1\n${LINE}\naccount.1.password hush\n`);
  assert.deepEqual(faults(phone), [
    "error phone.cfg:5: (line): the line is not `key = value`; write it so, or begin it with #",
  ]);
});

test("old keys serve where the newer ones are not set, and yield to them", () => {
  const old = [
    "#!version:1.0.0.1",
    "account.1.enable = 1",
    "account.1.user_name = 2001",
    "account.1.sip_server_host = old.example.com",
    "account.1.sip_server_port = 5070",
    "account.1.transport = 1",
    "account.1.advanced.timer_t1 = 1",
  ].join("\n");
  has(server(reading(old), 1), { address: "old.example.com", port: 5070, transport: "tcp" });
  has(account(reading(old)).redundancy, { t1Ms: 1000 });
  const both = reading(
    `${old}\naccount.1.sip_server.1.address = new.example.com\nsip.timer_t1 = 0.5\n` +
      "account.1.sip_server.1.transport_type = 0",
  );
  has(server(both, 1), { address: "new.example.com", port: 5070, transport: "udp" });
  has(account(both).redundancy, { t1Ms: 500 });
  const overridden = both.readings.filter(({ outcome }) => outcome === "overridden");
  assert.deepEqual(
    overridden.map(({ key, reason }) => [key, reason]),
    [
      ["account.1.sip_server_host", "overridden by account.1.sip_server.1.address at phone.cfg:8"],
      [
        "account.1.transport",
        "overridden by account.1.sip_server.1.transport_type at phone.cfg:10",
      ],
      ["account.1.advanced.timer_t1", "overridden by sip.timer_t1 at phone.cfg:9"],
    ],
  );
});

test("an account that lacks a user, a server or its switch is told", () => {
  const version = "#!version:1.0.0.1\n";
  const told = (text: string): string[] => faults(reading(version + text));
  assert.deepEqual(told("account.1.enable = 1\naccount.1.sip_server.1.address = a.example.com"), [
    "error phone.cfg:2: account.1.enable: account 1 is on and has no user name; " +
      "write account.1.user_name",
  ]);
  assert.deepEqual(told("account.1.enable = 1\naccount.1.user_name = 2001"), [
    "error phone.cfg:2: account.1.enable: account 1 is on and has no server; " +
      "write account.1.sip_server.1.address",
  ]);
  assert.deepEqual(
    told("account.1.user_name = 2001\naccount.1.sip_server.1.address = a.example.com"),
    [
      "error phone.cfg:3: account.1.sip_server.1.address: account 1 has a server and is not switched " +
        "on; write account.1.enable = 1",
    ],
  );
  assert.match(told(`${LINE.replace("sip_server.1", "sip_server.2")}`)[0]!, /no server 1; write/);
});

test("keys whose condition is missing are told and have no effect", () => {
  const cases: readonly (readonly [lines: string[], key: string])[] = [
    [["sip_server.1.failback_timeout = 300"], "sip_server.1.failback_timeout"],
    [
      ["sip_server.1.failback_mode = 1", "sip_server.1.only_signal_with_registered = 1"],
      "sip_server.1.only_signal_with_registered",
    ],
    [
      ["sip_server.1.register_on_enable = 1", "sip_server.1.only_signal_with_registered = 1"],
      "sip_server.1.only_signal_with_registered",
    ],
    [["sip_server.1.failback_subscribe.enable = 1"], "sip_server.1.failback_subscribe.enable"],
    [["sip_server.2.address = gw.example.com", "fallback.timeout = 60"], "fallback.timeout"],
    [["reg_failed_retry_max_time = 600"], "reg_failed_retry_max_time"],
    [["reg_failed_retry_min_time = 30", "reg_fail_retry_interval = 10"], "reg_fail_retry_interval"],
  ];
  for (const [lines, key] of cases) {
    const text = lines.map((line) => `account.1.${line}`).join("\n");
    const phone = reading(`#!version:1.0.0.1\n${LINE}\n${text}`);
    const fault = phone.faults.find((told) => told.key === `account.1.${key}`);
    assert.equal(fault?.severity, "warning", key);
    const told = phone.readings.find((seen) => seen.key === `account.1.${key}`);
    assert.equal(told?.outcome, "no-effect", key);
    assert.equal(told.reason, fault.wrong);
  }
});

test("a key beyond the family's numbers is told", () => {
  const phone = reading(
    `#!version:1.0.0.1\n${LINE}\naccount.1.sip_server.3.address = c.example.com`,
  );
  assert.match(
    faults(phone)[0]!,
    /sip_server\.3\.address: there is no number 3 here, the family ends at 2/,
  );
  assert.equal(account(phone).redundancy.servers.length, 1);
});

test("what server 1, a literal address, says of failback holds at the proxy that is a name and says nothing, or -1", () => {
  const lines = [
    "#!version:1.0.0.1",
    "account.1.enable = 1",
    "account.1.user_name = 2001",
    "account.1.outbound_proxy_enable = 1",
    "account.1.outbound_proxy.1.address = edge.example.com",
    "account.1.outbound_proxy.1.failback_mode = -1",
    "account.1.sip_server.1.address = 192.0.2.13",
    "account.1.sip_server.2.address = 192.0.2.15",
    "account.1.sip_server.1.failback_mode = 3",
    "account.1.sip_server.1.failback_timeout = 300",
    "account.1.sip_server.1.register_on_enable = 1",
    "account.1.sip_server.1.only_signal_with_registered = 1",
  ];
  const phone = reading(lines.join("\n"));
  assert.deepEqual(
    faults(phone).filter((fault) => !fault.includes("through the one outbound proxy")),
    [],
  );
  has(account(phone).redundancy.proxies[0] as ServerPolicy, {
    failbackMode: "duration",
    failbackSeconds: 300,
    registerOnFailover: true,
    onlySignalWithRegistered: true,
  });
  const literal = reading(lines.join("\n").replace("edge.example.com", "192.0.2.33"));
  assert.equal(account(literal).redundancy.proxies[0]?.failbackMode, "newRequests");
  assert.match(faults(literal).join("\n"), /:9: .*failback_mode: failback is among the addresses/);
});
