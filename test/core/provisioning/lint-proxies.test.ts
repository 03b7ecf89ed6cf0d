/** The traps of outbound proxies, told where they stand with the key that avoids them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { polycom, yealink } from "./lint-files.ts";

const NAME = "sip_server.1.address = pbx.example.com";

test("a value that proxies inherit is told of once, with the key that mends it for all", () => {
  const proxies = [
    "outbound_proxy_enable = 1",
    "outbound_proxy.1.address = 192.0.2.33",
    "outbound_proxy.2.address = 192.0.2.34",
  ];
  const key = "account.1.sip_server.1.invite_retry_counts";
  assert.deepEqual(yealink(NAME, "sip_server.1.invite_retry_counts = 10", ...proxies), [
    `warning y.cfg:5: ${key}: only 6 of 10 resends fit into the 32 s after which a request has ` +
      `failed; write ${key} = 3`,
  ]);
  for (const [leaf, told] of Object.entries({
    'expires="604800"': 'expires="3600"',
    'failOver.reRegisterOn="1"': 'failOver.failBack.mode="registration"',
    'failOver.failBack.mode="duration"\nvoIpProt.server.1.failOver.failBack.timeout="0"':
      'failOver.failBack.timeout="300"',
  })) {
    const found = polycom(
      'voIpProt.server.1.address="pbx.example.com"',
      'voIpProt.SIP.outboundProxy.address="edge.example.com"',
      `voIpProt.server.1.${leaf}`,
    );
    assert.equal(found.length, 1, found.join("\n"));
    assert.ok(found[0]?.endsWith(`write voIpProt.server.1.${told}`), found[0]);
  }
});

test("one proxy in front of both servers takes both down (C41)", () => {
  const told = polycom(
    'reg.1.outboundProxy.address="edge.example.com"',
    'reg.1.server.1.address="a.example.com"',
    'reg.1.server.1.port="5060"',
    'reg.1.server.2.address="b.example.com"',
  );
  assert.deepEqual(told, [
    "warning p.cfg:3: reg.1.outboundProxy.address: server 2 is reached through the one outbound proxy " +
      'and fails with it; write reg.1.server.2.useOutboundProxy="0", or give a proxy name with several addresses',
  ]);
  const proxy = [
    "sip_server.1.address = a.example.com",
    "sip_server.1.port = 5060",
    "sip_server.2.address = b.example.com",
    "outbound_proxy_enable = 1",
    "outbound_proxy.1.address = c.example.com",
    "outbound_proxy.1.port = 5060",
  ];
  const record = (number: number, address: string): string[] => [
    `dns_cache_a.${number}.name = c.example.com`,
    `dns_cache_a.${number}.ip = ${address}`,
  ];
  assert.match(yealink(...proxy, ...record(1, "192.0.2.33")).join(), /the one outbound proxy/);
  const two = [...record(1, "192.0.2.33"), ...record(2, "192.0.2.34")];
  assert.deepEqual(yealink(...proxy, ...two), []);
});

test("a proxy's port that keeps NAPTR from being asked is told at the port, or the proxy (D4)", () => {
  const proxied = [
    NAME,
    "sip_server.1.port = 0",
    "sip_server.1.transport_type = 3",
    "outbound_proxy_enable = 1",
    "outbound_proxy.1.address = edge.example.com",
  ];
  const told = (line: number, field: string): string =>
    `warning y.cfg:${line}: account.1.outbound_proxy.1.${field}: with port 5060 neither NAPTR nor SRV is ` +
    "asked and UDP is used; write account.1.outbound_proxy.1.port = 0";
  assert.deepEqual(yealink(...proxied), [told(8, "address")]);
  assert.deepEqual(yealink(...proxied, "outbound_proxy.1.port = 5060"), [told(9, "port")]);
  assert.deepEqual(yealink(...proxied, "outbound_proxy.1.port = 0"), []);
});

test("the one address that can fail is the outbound proxy's where requests go through one", () => {
  const proxied = (server: string, proxy: string): string[] =>
    yealink(
      `sip_server.1.address = ${server}`,
      "outbound_proxy_enable = 1",
      `outbound_proxy.1.address = ${proxy}`,
    );
  assert.deepEqual(proxied("pbx.example.com", "192.0.2.99"), [
    "warning y.cfg:6: account.1.outbound_proxy.1.address: it is one address and there is no other outbound " +
      "proxy: nothing is left when it fails; write a name with several addresses, or " +
      "account.1.outbound_proxy.2.address too",
  ]);
  assert.deepEqual(proxied("192.0.2.13", "edge.example.com"), []);
  const direct = [
    'reg.1.server.1.address="192.0.2.13"',
    'reg.1.outboundProxy.address="192.0.2.99"',
  ];
  assert.match(
    polycom(...direct).join(),
    /^warning p\.cfg:4: reg\.1\.outboundProxy\.address: .*; write a name with several addresses$/,
  );
  assert.match(
    polycom(...direct, 'reg.1.server.1.useOutboundProxy="0"').join(),
    /^warning p\.cfg:3: .*no other server/,
  );
});

test("a proxy that takes a value from a server is told of with the server's key, or not at all", () => {
  const proxies = [
    "sip_server.1.transport_type = 1",
    "outbound_proxy_enable = 1",
    "outbound_proxy.1.address = p1.example.com",
    "outbound_proxy.2.address = p2.example.com",
    "sip_server.2.address = 192.0.2.15",
  ];
  assert.deepEqual(yealink(NAME, ...proxies), [
    "warning y.cfg:8: account.1.outbound_proxy.2.address: number 1 is reached over tcp and nothing is " +
      "said of this one, which is reached over udp; write account.1.sip_server.2.transport_type = 1",
  ]);
  const server = ['reg.1.server.1.address="pbx.example.com"', 'reg.1.server.1.retryMaxCount="7"'];
  assert.deepEqual(polycom(...server, 'reg.1.outboundProxy.address="edge.example.com"'), [
    "warning p.cfg:4: reg.1.server.1.retryMaxCount: only 6 of 7 resends fit into the 32 s after which a " +
      'request has failed; write reg.1.server.1.retryMaxCount="3"',
  ]);
});
