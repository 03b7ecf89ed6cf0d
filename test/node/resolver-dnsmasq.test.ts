/** The resolver against dnsmasq. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import type { DnsAnswer, RecordType } from "../../src/core/vocabulary.ts";
import { Resolver } from "../../src/worlds/node/resolver.ts";
import { DNS_PORT } from "../support/dnsmasq.ts";
import { findPeer, needs } from "../support/peers.ts";
import { Household, reached } from "../support/processes.ts";
import { addresses, lookup } from "./resolver-asking.ts";

describe("the resolver against dnsmasq", needs("dnsmasq"), () => {
  let household: Household | undefined;
  let resolver: Resolver | undefined;

  before(async () => {
    household = await Household.open(58);
    const host = household.address(53);
    const file = household.path("dnsmasq.conf");
    writeFileSync(
      file,
      [
        `port=${DNS_PORT}`,
        `listen-address=${host}`,
        "bind-interfaces",
        "no-resolv",
        "no-hosts",
        "keep-in-foreground",
        `pid-file=${household.path("dnsmasq.pid")}`,
        "local=/example.com/",
        "local-ttl=77",
        "naptr-record=pbx.example.com,100,50,s,SIP+D2U,,_sip._udp.pbx.example.com",
        "srv-host=_sip._udp.pbx.example.com,a.pbx.example.com,5060,10,60",
        "srv-host=_sip._udp.pbx.example.com,b.pbx.example.com,5060,20,40",
        "host-record=a.pbx.example.com,192.0.2.13,2001:db8::13",
        "host-record=b.pbx.example.com,192.0.2.14",
        "cname=alias.example.com,a.pbx.example.com",
      ].join("\n"),
    );
    const program = findPeer("dnsmasq") as string;
    const running = household.spawn("dnsmasq", program, [`--conf-file=${file}`, "--user="]);
    const servers = [{ host, port: DNS_PORT }];
    resolver = new Resolver({ servers, timeoutMs: 500, retries: 1 });
    // It has no sign of being ready but to answer.
    await reached("an answer of dnsmasq", async () => {
      assert.ok(running.running, `dnsmasq has ended: ${running.lines.join(" ")}`);
      return (await ask("a.pbx.example.com", "A")).kind === "records";
    });
  });

  after(async () => {
    resolver?.close();
    await household?.close();
  });

  const ask = (name: string, type: RecordType): Promise<DnsAnswer> =>
    lookup(resolver as Resolver, name, type);

  test("NAPTR, SRV and both address families", async () => {
    const naptr = await ask("pbx.example.com", "NAPTR");
    assert.ok(naptr.kind === "records" && naptr.records[0]?.type === "NAPTR");
    assert.equal(naptr.records[0].service, "SIP+D2U");
    assert.equal(naptr.records[0].replacement, "_sip._udp.pbx.example.com");
    const srv = await ask("_sip._udp.pbx.example.com", "SRV");
    assert.ok(srv.kind === "records");
    const targets = srv.records.map((record) => (record.type === "SRV" ? record.target : ""));
    assert.deepEqual(targets.sort(), ["a.pbx.example.com", "b.pbx.example.com"]);
    assert.deepEqual(addresses(await ask("a.pbx.example.com", "A")), ["192.0.2.13"]);
    assert.deepEqual(addresses(await ask("a.pbx.example.com", "AAAA")), ["2001:db8::13"]);
  });

  test("TTLs, aliases, and what does not exist", async () => {
    const alias = await ask("alias.example.com", "A");
    assert.ok(alias.kind === "records");
    assert.equal(alias.records[0]?.ttl, 77);
    assert.equal((await ask("gone.example.com", "A")).kind, "none");
    assert.equal((await ask("b.pbx.example.com", "AAAA")).kind, "none");
  });

  test("what it may not answer it refuses, which is silence at once", async () => {
    const answer = await ask("www.example.org", "A");
    assert.deepEqual(answer, { kind: "silent", why: "REFUSED" });
  });
});
