/** Each trap of a configuration, told where it stands with the key that avoids it; and the samples that have none. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { polycom, yealink } from "./lint-files.ts";
import { faults, reading, sample } from "./samples.ts";

const NAME = "sip_server.1.address = pbx.example.com";

test("P2 and P5 are told that a held call ends after a failover (C40)", () => {
  const ends = "after a failover, hold or resume ends a call that was set up before it";
  const p2 = "voIpProt.server.1.failOver.onlySignalWithRegistered";
  assert.deepEqual(faults(sample("P2-dns-failover-duration.xml")), [
    `note P2-dns-failover-duration.xml:14: ${p2}: ${ends}; write ${p2}="0" to keep such calls`,
  ]);
  const p5 = "reg.1.outboundProxy.failOver.onlySignalWithRegistered";
  assert.deepEqual(faults(sample("P5-outbound-proxy.xml")), [
    `note P5-outbound-proxy.xml:12: ${p5}: ${ends}; write ${p5}="0" to keep such calls`,
  ]);
});

test("Y5 is told of the binding that outlives the return", () => {
  assert.deepEqual(faults(sample("Y5-both-levels.cfg")), [
    "note Y5-both-levels.cfg:16: account.1.fallback.timeout: server 2 keeps its binding for 3600 s " +
      "and the phone may be back after 60 s; write account.1.sip_server.2.expires = 600",
  ]);
});

test("a lifetime below the family's own renewal lead is told with the lead to write", () => {
  const key = "reg.1.server.1.expires";
  assert.deepEqual(polycom('reg.1.server.1.address="pbx.example.com"', `${key}="60"`).slice(-1), [
    `warning p.cfg:4: ${key}: the renewal lead of 60 s is not below the lifetime of 60 s, which is ` +
      `renewed at half; write ${key}.overlap="30"`,
  ]);
});

test("what another server says of the account is told where server 1 says otherwise (Polycom)", () => {
  const servers = ['reg.1.server.1.address="192.0.2.13"', 'reg.1.server.2.address="192.0.2.15"'];
  const first = 'reg.1.server.1.registerRetry.maxTimeOut="300"';
  const second = 'reg.1.server.2.registerRetry.maxTimeOut="300"';
  const told =
    "note p.cfg:5: reg.1.server.2.registerRetry.maxTimeOut: the value of server 1 holds for all of " +
    "them; write reg.1.server.1.registerRetry.maxTimeOut, or delete this";
  assert.deepEqual(polycom(...servers, second), [told]);
  assert.deepEqual(polycom(...servers, second, first), []);
  assert.deepEqual(polycom(...servers, 'reg.1.server.2.registerRetry.maxTimeOut="60"'), []);
  assert.deepEqual(polycom('reg.1.server.1.address="pbx.example.com"', second), []);
});

test("a Polycom key in other letters is read, and told; one that is cleared is not", () => {
  const key = "reg.1.server.1.retryTimeOut";
  const other = "reg.1.server.1.retryTimeout";
  const name = 'reg.1.server.1.address="pbx.example.com"';
  const file = reading(`<all\nreg.1.address="1"\n${name}\n${other}="500"/>`, "p.cfg");
  assert.deepEqual(faults(file), [
    `warning p.cfg:4: ${other}: XML tells letters apart, and a phone may pass this over: it is ` +
      `${key} here; write ${key}`,
  ]);
  assert.equal(file.accounts[0]?.redundancy.servers[0]?.retryIntervalMs, 500);
  assert.deepEqual(polycom(name, `${other}=""`), []);
});

test("the same server twice is no second server (C44)", () => {
  const twice = ["sip_server.1.address = 192.0.2.13", "sip_server.2.address = 192.0.2.13"];
  const told =
    "warning y.cfg:5: account.1.sip_server.2.address: number 1 has the same address, so this one is " +
    "never tried; write another address, or delete the server";
  assert.deepEqual(yealink(...twice), [told]);
  assert.deepEqual(yealink(...twice, "sip_server.2.port = 5070"), [told]);
  assert.deepEqual(
    yealink(...twice, "sip_server.2.port = 5070", "sip.skip_redundant_failover_addr = 0"),
    [],
  );
});

test("an IPv6 address is the same in each of its spellings (C44)", () => {
  const same = (first: string, second: string): boolean =>
    polycom(
      `reg.1.server.1.address="${first}"`,
      'reg.1.server.1.port="5060"',
      `reg.1.server.2.address="${second}"`,
      'reg.1.server.2.port="5060"',
    ).some((told) => told.includes("number 1 has the same address"));
  for (const again of ["2001:DB8::1", "2001:0DB8:0:0:0:0:0:1", "2001:db8::0.0.0.1"]) {
    assert.ok(same("2001:db8::1", again), again);
  }
  assert.equal(same("2001:db8::1", "2001:db8::2"), false);
  assert.match(
    yealink(
      "sip_server.1.address = 2001:db8::1",
      "sip_server.2.address = gw.example.com",
      "dns_cache_a.1.name = gw.example.com",
      "dns_cache_a.1.ip = 2001:DB8:0::1",
    ).join(),
    /number 1 has the same address/,
  );
});

test("a name whose static record is the address of the other server is no second server (C44)", () => {
  const records = (ip: string): string[] => [
    "dns_cache_a.1.name = gw.example.com",
    `dns_cache_a.1.ip = ${ip}`,
  ];
  const servers = ["sip_server.1.address = 192.0.2.13", "sip_server.2.address = gw.example.com"];
  assert.match(
    yealink(...servers, ...records("192.0.2.13")).join(),
    /^warning y\.cfg:5: account\.1\.sip_server\.2\.address: number 1 has the same address/,
  );
  assert.deepEqual(yealink(...servers, ...records("192.0.2.15")), []);
});

test("registering at two servers and failover by SRV are not to be mixed (C42)", () => {
  const mixed = [NAME, "sip_server.1.port = 0", "sip_server.2.address = gw.example.com"];
  assert.deepEqual(yealink(...mixed), [
    "warning y.cfg:6: account.1.sip_server.2.address: registering at two servers at once and failover " +
      "by DNS SRV should not be mixed; write account.1.fallback.redundancy_type = 1, or give server 1 a port",
  ]);
  assert.deepEqual(yealink(...mixed, "fallback.redundancy_type = 1"), []);
  assert.match(
    polycom(
      'reg.1.server.1.address="pbx.example.com"',
      'reg.1.server.2.address="192.0.2.15"',
    ).join(),
    /write reg\.1\.server\.2\.register="0", or give server 1 a port/,
  );
});

test("a phone that never goes back is told so (C3)", () => {
  assert.match(
    yealink(NAME, "sip_server.1.failback_mode = 3", "sip_server.1.failback_timeout = 0").join(),
    /y\.cfg:6: .*failback_timeout: with 0 .*; write account\.1\..*failback_timeout = 300$/,
  );
  const huge = yealink(
    NAME,
    "sip_server.1.failback_mode = 1",
    "dns_cache_a.1.name = pbx.example.com",
    "dns_cache_a.1.ip = 192.0.2.13",
    "dns_cache_a.1.ttl = 604800",
  );
  assert.deepEqual(huge, [
    "warning y.cfg:8: dns_cache_a.1.ttl: failback waits for the TTL, and 604800 s is more than a day; " +
      "write 300, or another failback mode",
  ]);
  assert.match(
    yealink(NAME, "sip_server.1.register_on_enable = 1").join(),
    /:5: .*new requests go back at once .* up to 3600 s later; write .*failback_mode = 2$/,
  );
});

test("what is subscribed to and stays behind is told (C1)", () => {
  const moving = [NAME, "sip_server.1.failback_mode = 2", "sip_server.1.register_on_enable = 1"];
  const lamp = ["linekey.1.type = 16", "linekey.1.line = 1", "linekey.1.value = 2002"];
  const told = (...lines: string[]): string => yealink(...moving, ...lines).join();
  assert.match(
    told("subscribe_mwi = 1"),
    /:6: .*\(message waiting\) stays .*; write account\.1\.sip_server\.1\.failback_subscribe\.enable = 1$/,
  );
  assert.match(told(...lamp), /:6: .*\(the lamps of others\) stays /);
  assert.match(told("subscribe_mwi = 1", ...lamp), /\(message waiting, the lamps of others\)/);
  const following = "sip_server.1.failback_subscribe.enable = 1";
  assert.equal(told("subscribe_mwi = 1", ...lamp, following), "");
  assert.equal(told(), "");
});

test("NAPTR that is never asked because of a port is told (D4)", () => {
  assert.deepEqual(yealink(NAME, "sip_server.1.transport_type = 3"), [
    "warning y.cfg:5: account.1.sip_server.1.transport_type: with port 5060 neither NAPTR nor SRV is " +
      "asked and UDP is used; write account.1.sip_server.1.port = 0",
  ]);
});

test("a key whose end is missing is taken for what it begins", () => {
  assert.deepEqual(yealink(NAME, "sip_server.1.failback_time = 600"), [
    "warning y.cfg:5: account.1.sip_server.1.failback_time: no such key; did you mean " +
      "account.1.sip_server.1.failback_timeout? write that, or delete the line",
  ]);
});

test("what is noticed late or loads servers is told", () => {
  assert.match(
    yealink(NAME, "nat.udp_update_enable = 0").join(),
    /:5: .*noticed up to 1800 s late/,
  );
  assert.match(
    yealink(NAME, "sip_server.1.expires = 100000").join(),
    /outlive its phone or server/,
  );
  const probing = [NAME, "sip_server.2.address = gw.example.com", "fallback.redundancy_type = 1"];
  assert.match(
    yealink(...probing, "sip_server.2.expires = 60", "fallback.timeout = 10").join(),
    /:8: account\.1\.fallback\.timeout: 1000 phones .* 100 REGISTERs a second .*timeout = 30 or more$/,
  );
  const proxied = [
    NAME,
    "outbound_proxy_enable = 1",
    "outbound_proxy.1.address = c.example.com",
    "outbound_proxy.2.address = d.example.com",
  ];
  assert.match(
    yealink(...proxied, "outbound_proxy_fallback_interval = 2").join(),
    /:8: .*1000 phones .* first outbound proxy send 500 REGISTERs a second .*_interval = 30 or more$/,
  );
  assert.match(
    polycom('reg.1.server.1.address="a.example.com"', 'reg.1.server.1.register="0"').join(),
    /:4: .*registers nowhere.*; write reg\.1\.server\.1\.register="1"$/,
  );
});

test("a path is silent from one renewal to the next, and told of where that is too long (C11, C31)", () => {
  const silent = (expires: number, ...lines: string[]): string =>
    yealink(
      NAME,
      `sip_server.1.expires = ${expires}`,
      "nat.udp_update_enable = 0",
      ...lines,
    ).join();
  assert.equal(silent(240), "");
  assert.match(silent(300), /:6: .*noticed up to 150 s late; write .*udp_update_enable = 1$/);
  // A connection is kept longer.
  assert.equal(silent(600, "sip_server.1.transport_type = 1"), "");
  assert.match(silent(900, "sip_server.1.transport_type = 1"), /noticed up to 450 s late/);
  const server = ["1", "2"].map((number) => `reg.1.server.${number}`);
  const off = (...attributes: string[]): string =>
    polycom(
      `${server[0]}.address="192.0.2.13"`,
      `${server[0]}.transport="UDPOnly"`,
      `${server[0]}.expires="600"`,
      `${server[1]}.address="192.0.2.15"`,
      `${server[1]}.transport="UDPOnly"`,
      ...attributes,
    ).join();
  const none = 'nat.keepalive.interval="0"';
  assert.match(off(none), /:8: .*noticed up to 3540 s late; write nat\.keepalive\.interval="30"$/);
  // Where nothing is registered nothing is kept open.
  assert.match(off(none, `${server[1]}.register="0"`), /noticed up to 540 s late/);
  const slow = 'nat.keepalive.interval="3600"';
  assert.match(off(slow, `${server[1]}.register="0"`), /before 540 s, .* until the next renewal;/);
  assert.equal(off(slow, `${server[0]}.expires.overlap="500"`, `${server[1]}.register="0"`), "");
});

test("TLS to a literal address needs a certificate that names it", () => {
  const told = yealink("sip_server.1.address = 192.0.2.13", "sip_server.1.transport_type = 2");
  assert.match(told.join("\n"), /:4: .*the certificate must then name this very address/);
});

test("an account that is off is not judged", () => {
  const text = sample("Y5-both-levels.cfg");
  assert.equal(text.faults.length, 1);
  const off = reading(
    "#!version:1.0.0.1\naccount.1.enable = 0\naccount.1.sip_server.1.address = 192.0.2.13\n" +
      "account.2.enable = 1\naccount.2.user_name = 2\naccount.2.sip_server.1.address = pbx.example.com",
  );
  assert.deepEqual(faults(off), []);
});

test("zeros that would spin or never wait are replaced and told", () => {
  assert.match(
    yealink(NAME, "reg_fail_retry_interval = 0").join(),
    /would hammer .*write 1 or more/,
  );
  assert.match(
    yealink(NAME, "static.network.dns.query_timeout = 0").join(),
    /default of 3 s holds/,
  );
  const proxies = ["outbound_proxy_enable = 1", "outbound_proxy.1.address = a.example.com"];
  const pair = [...proxies, "outbound_proxy.2.address = b.example.com"];
  assert.match(
    yealink(NAME, ...pair, "outbound_proxy_fallback_interval = 0").join(),
    /default of 3600 s holds/,
  );
});

test("what a refused value was to allow is not told of as well", () => {
  const servers = [NAME, "sip_server.2.address = 192.0.2.14"];
  const refused = (line: number, key: string, value: string, values: string): string =>
    `error y.cfg:${line}: account.1.${key}: "${value}" is not one of ${values}; write one of ${values}`;
  assert.deepEqual(
    yealink(
      ...servers,
      "fallback.redundancy_type = 1",
      "sip_server.1.failback_mode = 5",
      "sip_server.1.failback_timeout = 300",
      "sip_server.1.register_on_enable = 1",
      "sip_server.1.only_signal_with_registered = 1",
    ),
    [refused(7, "sip_server.1.failback_mode", "5", "0, 1, 2, 3")],
  );
  const mode = "reg.1.server.1.failOver.failBack";
  const modes = "newRequests, DNSTTL, registration, duration";
  assert.deepEqual(
    polycom(
      'reg.1.server.1.address="pbx.example.com"',
      `${mode}.mode="always"`,
      `${mode}.timeout="300"`,
    ),
    [`error p.cfg:4: ${mode}.mode: "always" is not one of ${modes}; write one of ${modes}`],
  );
});
