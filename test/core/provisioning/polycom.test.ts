/** Polycom and Spectralink files: samples P1–P7, the three levels, and malformed XML. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readConfiguration } from "../../../src/core/provisioning/read.ts";
import type { ServerPolicy } from "../../../src/core/redundancy/policy.ts";
import { account, faults, has, reading, sample, server } from "./samples.ts";

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

test("P4 takes a blank port as none and carries its names with it", () => {
  const phone = sample("P4-static-dns-ttl.xml");
  assert.deepEqual(faults(phone), []);
  has(server(phone, 1), { port: 0, transport: "naptr", failbackMode: "DNSTTL" });
  assert.equal(account(phone).redundancy.dns.records.length, 5);
  assert.deepEqual(account(phone).redundancy.dns.records[4], {
    type: "A",
    name: "b.pbx.example.com",
    ttl: 3600,
    address: "192.0.2.14",
  });
});

test("P5's proxy has a failover of its own; server 2 is reached past it, unregistered", () => {
  const phone = sample("P5-outbound-proxy.xml");
  has(account(phone).redundancy.proxies[0]!, {
    address: "edge.example.com",
    port: 0,
    transport: "naptr",
    registerOnFailover: true,
    dropRegistrationOnFailover: true,
    onlySignalWithRegistered: true,
    failbackMode: "duration",
    failbackSeconds: 600,
  });
  has(server(phone, 1), { throughProxy: true, register: true, onlySignalWithRegistered: false });
  has(server(phone, 2), { throughProxy: false, register: false, transport: "udp" });
});

test("P6 gives both lines the four global servers and warns of the load", () => {
  const phone = sample("P6-tls-four-servers.xml");
  const transports = ["tls", "tls", "tcp-preferred", "udp"];
  for (const index of [1, 2]) {
    const { servers } = account(phone, index).redundancy;
    assert.deepEqual(
      servers.map(({ transport }) => transport),
      transports,
    );
  }
  assert.deepEqual(faults(phone), [
    "warning P6-tls-four-servers.xml:17: voIpProt.server.3.address: each line keeps 4 registrations " +
      'alive; write voIpProt.server.3.register="0" where calls are enough',
  ]);
});

test("P7 gives every fault at once, in the order of the file", () => {
  const phone = sample("P7-faults.xml");
  const p7 = "P7-faults.xml";
  const first = "reg.1.server.1";
  assert.deepEqual(faults(phone), [
    `warning ${p7}:14: ${first}.transport: "UDPonly" is read as UDPOnly; write UDPOnly`,
    `warning ${p7}:15: ${first}.retryMaxCount: 0 means 3 here; write 3`,
    `warning ${p7}:16: ${first}.retryTimeOut: 50 is rounded to 100, the finest step is 100; write 100`,
    `error ${p7}:17: ${first}.expires: 5 is below 10, the least; write a value in 10..2147483647`,
    `warning ${p7}:18: ${first}.expires.overlap: the renewal lead of 60 s is not below the lifetime of ` +
      `10 s, which is renewed at half; write ${first}.expires.overlap="5"`,
    `warning ${p7}:20: ${first}.failOver.onlySignalWithRegistered: it has no effect while ` +
      `reRegisterOn is 0; write ${first}.failOver.reRegisterOn="1", or delete this`,
    `warning ${p7}:21: ${first}.failOver.failBack.mode: "Duration" is read as duration; write duration`,
    `error ${p7}:22: ${first}.failOver.failBack.timeout: 30 is below 60, the least; ` +
      "write a value in 0, 60..65535",
  ]);
  has(account(phone), { password: 'a&b"c' });
  has(server(phone, 1), {
    transport: "udp",
    registerRetries: 3,
    inviteRetries: 3,
    retryIntervalMs: 100,
    failbackMode: "duration",
    onlySignalWithRegistered: false,
  });
});

const line = (attributes: string): string =>
  `<all reg.1.address="4001" reg.1.server.1.address="pbx.example.com" ${attributes}/>`;

test("the failback mode of a silent file is newRequests, or what the caller says (D1)", () => {
  const files = [{ name: "p.cfg", text: line("") }];
  const mode = (phone: ReturnType<typeof reading>): string => server(phone, 1).failbackMode;
  assert.equal(mode(readConfiguration(files)), "newRequests");
  assert.equal(mode(readConfiguration(files, { failbackMode: "registration" })), "registration");
});

test("onlySignalWithRegistered is on by default as soon as the other two are (D9)", () => {
  const on =
    'reg.1.server.1.failOver.reRegisterOn="1" reg.1.server.1.failOver.failRegistrationOn="1"';
  has(server(reading(line(on)), 1), { onlySignalWithRegistered: true });
  has(server(reading(line(on.split(" ")[0]!)), 1), { onlySignalWithRegistered: false });
});

test("a value withdrawn for one line holds for another", () => {
  const phone = reading(`<all
    reg.1.address="1" reg.1.server.1.failOver.reRegisterOn="0"
    reg.2.address="2"
    voIpProt.server.1.address="pbx.example.com"
    voIpProt.server.1.failOver.reRegisterOn="1"
    voIpProt.server.1.failOver.failRegistrationOn="1"/>`);
  has(account(phone, 1).redundancy.servers[0]!, { dropRegistrationOnFailover: false });
  has(account(phone, 2).redundancy.servers[0]!, { dropRegistrationOnFailover: true });
});

test("an address with a domain is user and domain", () => {
  has(account(reading(line("").replace('"4001"', '"4001@Example.com"'))), {
    user: "4001",
    domain: "example.com",
    authName: "4001",
  });
});

test("malformed XML is an error at its line, never an exception", () => {
  const cases: readonly (readonly [text: string, line: number, wrong: RegExp])[] = [
    ["<a>\n<b>\n</a>", 3, /closing tag/],
    ["<a>\n", 2, /<a> is not closed/],
    ['<a\n x.y="1\n z="2"/>', 2, /value of x.y is not closed/],
    ['<a\n x.y="1"z="2"/>', 2, /malformed/],
    ["<a>\n<b>\n</b>\n<a>\n", 4, /opened again/],
    ['<a\n x.y="1/>\n</a>', 2, /value of x.y is not closed/],
    ["<a\n x.y=1/>", 2, /no value in quotes/],
    ["<a/>\n<b/>", 2, /second outermost/],
    ["<a/>\n text", 1, /outside of any element/],
    ['<a>\n<b x="1"\n', 3, /malformed/],
    ["<!-- no end\n<a/>", 1, /comment has no end/],
    ["<!DOCTYPE a [\n<!ENTITY x 'y'>]><a/>", 1, /document types/],
    ['<a\nreg.1.address="x &y; z"/>', 2, /begins no entity/],
    ['<a\nreg.1.address="x"\nreg.1.address="y"/>', 3, /attribute twice/],
    ["<?xml version='1.0'?>\n", 2, /no element/],
  ];
  for (const [text, line, wrong] of cases) {
    const fault = reading(text).faults.find((told) => wrong.test(told.wrong));
    assert.ok(fault, `${text}: ${faults(reading(text)).join("\n")}`);
    assert.deepEqual([fault.severity, fault.line], ["error", line], text);
  }
});

test("entities are decoded, CDATA, comments and instructions are passed over", () => {
  const phone = reading(
    "\uFEFF<?xml version='1.0'?><!-- <b x='1'/> --><a><![CDATA[<z>]]>" +
      "<b reg.1.address='&#52;&#x30;01' reg.1.displayName='&lt;&apos;&gt;'\r\n" +
      "reg.1.server.1.address='a.example.com'/>text</a>",
  );
  assert.deepEqual(faults(phone), []);
  has(account(phone), { user: "4001", displayName: "<'>" });
  assert.equal(phone.origins.get("account.1.redundancy.servers.1.address")?.line, 2);
});

test("what server 1, a literal address, says of failOver holds at the proxy, a name, and its line is blamed for it", () => {
  const phone = reading(`<all
    reg.1.address="4001" reg.1.outboundProxy.address="edge.example.com"
    reg.1.server.1.address="192.0.2.13"
    reg.1.server.1.failOver.reRegisterOn="1"
    reg.1.server.1.failOver.failBack.mode="duration"
    reg.1.server.1.failOver.failBack.timeout="300"
    reg.1.server.2.address="192.0.2.15" reg.1.server.2.useOutboundProxy="0"/>`);
  assert.deepEqual(faults(phone), []);
  const { proxies } = account(phone).redundancy;
  has(proxies[0] as ServerPolicy, {
    failbackMode: "duration",
    failbackSeconds: 300,
    registerOnFailover: true,
  });
  const blamed = phone.origins.get("account.1.redundancy.proxies.1.registerOnFailover");
  assert.equal(blamed?.key, "reg.1.server.1.failOver.reRegisterOn");
});
