/** What `dialtone explain` foretells of the samples, and what the command says and how it ends. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ruleTeller } from "../../src/api/rule-teller.ts";
import { groundsOf } from "../../src/apps/explain/grounds.ts";
import {
  type Forecast,
  forecast,
  type Prediction,
  predictionsFor,
  victimsOf,
} from "../../src/apps/explain/predict.ts";
import { forecastLines, forecastRecords } from "../../src/apps/explain/print.ts";
import type { FaultName } from "../../src/apps/explain/rehearsal.ts";
import { readConfiguration } from "../../src/core/provisioning/read.ts";

const root = join(import.meta.dirname, "..", "..", "..");
const sample = (name: string): string => join("examples", "provisioning", name);

function foretold(name: string, phases = 2): Forecast {
  return foretoldOf(readFileSync(join(root, sample(name)), "latin1"), name, phases);
}

function foretoldOf(text: string, name: string, phases: number): Forecast {
  const configuration = readConfiguration([{ name, text }]);
  const account = configuration.accounts.find(({ enabled }) => enabled);
  assert(account !== undefined);
  const rule = ruleTeller(configuration);
  return forecast({ account, rule, targets: 2, phases, seed: 7 });
}

function of(
  { predictions }: Forecast,
  victim: string,
  fault: FaultName,
  hangs = false,
): Prediction {
  const found = predictions.find(
    (one) => one.victim === victim && one.fault === fault && one.hangs === hangs,
  );
  assert(found !== undefined, `${victim} ${fault}`);
  return found;
}

const STATIC_TCP = `<polycomConfig><reg reg.1.address="813" reg.1.server.1.address="st.example.org"
  reg.1.server.1.expires="300" reg.1.server.1.failOver.failBack.mode="DNSTTL"/>
<dns dns.cache.NAPTR.1.name="st.example.org" dns.cache.NAPTR.1.flags="S" dns.cache.NAPTR.1.service="SIP+D2T"
  dns.cache.NAPTR.1.replacement="_sip._tcp.st.example.org" dns.cache.NAPTR.1.ttl="600"
  dns.cache.SRV.1.name="_sip._tcp.st.example.org" dns.cache.SRV.1.port="5075" dns.cache.SRV.1.priority="1"
  dns.cache.SRV.1.target="u.other.example" dns.cache.SRV.1.ttl="600"
  dns.cache.SRV.2.name="_sip._tcp.st.example.org" dns.cache.SRV.2.port="5076" dns.cache.SRV.2.priority="2"
  dns.cache.SRV.2.target="v.other.example" dns.cache.SRV.2.ttl="600"
  dns.cache.A.1.name="u.other.example" dns.cache.A.1.address="10.3.3.1" dns.cache.A.1.ttl="600"
  dns.cache.A.2.name="v.other.example" dns.cache.A.2.address="10.3.3.2" dns.cache.A.2.ttl="600"/></polycomConfig>`;

const MUTE = `#!version:1.0.0.1
account.1.enable = 1
account.1.user_name = 701
account.1.sip_server.1.address = sbc.example.net
account.1.sip_server.1.transport_type = 1
account.1.sip_server.1.retry_counts = 1
account.1.sip_server.1.expires = 900
`;

const TWO = `#!version:1.0.0.1
account.1.enable = 1
account.1.user_name = 730
account.1.fallback.redundancy_type = 1
account.1.sip_server.1.address = FIRST
account.1.sip_server.2.address = SECOND
`;

/** Renewals come each 1800 s: a quarter of that is a multiple of the probe's 60 s but for the trial in vain. */
const SHORT_PROBE = `#!version:1.0.0.1
account.1.enable = 1
account.1.user_name = 703
account.1.sip_server.1.address = 10.3.4.1
account.1.sip_server.1.retry_counts = 0
account.1.sip_server.2.address = 10.3.4.2
account.1.fallback.redundancy_type = 1
account.1.fallback.timeout = 60
`;

function near(actual: number, expected: number, what: string): void {
  assert(Math.abs(actual - expected) < 150, `${what}: ${actual} ms, expected about ${expected} ms`);
}

test("Y1: a silent working server costs the first call three resends, the next one nothing (sequence R1, V3)", () => {
  const seen = foretold("Y1-register-fallback.cfg");
  const silent = of(seen, "server 1", "silent");
  near(silent.firstCall.worst, 7500, "first call");
  near(silent.nextCall.worst, 0, "next call");
  assert(silent.registered.worst <= seen.bounds.registeredMs);
  assert.equal(silent.fullService, undefined);
  near(of(seen, "server 1", "closed").firstCall.worst, 0, "a closed port tells at once");
});

test("calls to a phone that is registered one place at a time miss it until it has found out", () => {
  const { registered, unreachable } = of(foretold("Y1-register-fallback.cfg"), "server 1", "503");
  near(unreachable.worst, registered.worst, "unreachable");
  near(unreachable.median, registered.median, "unreachable");
});

test("Y3: with the secondary there callers miss nothing, and newRequests pays at each call (sequence R2)", () => {
  const silent = of(foretold("Y3-dns-failover.cfg"), "the primary of server 1", "silent");
  assert.equal(silent.unreachable.worst, 0);
  near(silent.firstCall.worst, 7500, "first call");
  near(silent.nextCall.worst, 7500, "next call");
  assert.equal(silent.back.worst, 0);
});

test("Y3: with nothing but server 1, its death is told as never", () => {
  const all = of(foretold("Y3-dns-failover.cfg", 1), "all of server 1", "silent");
  assert.equal(all.firstCall.median, Number.POSITIVE_INFINITY);
  assert.equal(all.registered.median, Number.POSITIVE_INFINITY);
});

test("Y7: over TLS a server that is in nobody's way changes nothing by its death", () => {
  const seen = foretold("Y7-tls-two-accounts.cfg", 1);
  for (const fault of ["closed", "silent", "503"] as const) {
    const { firstCall, registered, unreachable } = of(seen, "server 2", fault);
    near(firstCall.worst, 0, "call");
    assert.equal(registered.worst, 0);
    assert.equal(unreachable.worst, 0);
  }
});

test("P1: registered at both, a dead working server takes no registration away (V2)", () => {
  const { registered, unreachable, firstCall } = of(
    foretold("P1-fallback-register-both.xml", 1),
    "server 1",
    "silent",
  );
  assert.equal(registered.worst, 0);
  assert.equal(unreachable.worst, 0);
  near(firstCall.worst, 2000, "first call");
});

test("static records stand for what the resolver would say: their services, ports and lifetimes (D6, DNSTTL)", () => {
  const seen = foretoldOf(STATIC_TCP, "static.xml", 2);
  assert.equal(seen.standing, true, "the port is that of the SRV record");
  const silent = of(seen, "the primary of server 1", "silent");
  near(silent.firstCall.worst, 7500, "first call");
  assert.match(JSON.stringify(silent.decisions), /tcp:10\.3\.3\.1:5075.*tcp:10\.3\.3\.2:5076/);
  assert(silent.back.worst > 100_000, "the way home waits for 600 s, the records' own TTL");
});

test("a name that came to its static records' addresses (drill) has their ports", () => {
  const { accounts } = readConfiguration([{ name: "static.xml", text: STATIC_TCP }]);
  const [account] = accounts;
  assert(account !== undefined);
  const portsFor = (...addresses: string[]): (number | undefined)[] => {
    const grounds = groundsOf(account, { targets: 1, found: new Map([[1, addresses]]) });
    return grounds.servers.map(({ spec }) => spec.listen?.at(-1)?.port);
  };
  assert.deepEqual(portsFor("10.3.3.1", "10.3.3.2"), [5075, 5076]);
  assert.deepEqual(portsFor("192.0.2.1"), [5061], "a live answer beats them");
});

test("an interval of decades is waited for no longer than a day: never", () => {
  const text = `#!version:1.0.0.1
account.1.enable = 1
account.1.user_name = 2001
account.1.sip_server.1.address = 192.0.2.13
account.1.sip_server.2.address = 192.0.2.15
account.1.fallback.redundancy_type = 1
account.1.fallback.timeout = 2147483647
`;
  const gone = of(foretoldOf(text, "decades.cfg", 1), "server 1", "closed");
  assert.equal(gone.back.worst, Number.POSITIVE_INFINITY);
  assert.ok(Number.isFinite(gone.registered.worst));
});

test("home is the first server that is registered at: failures are spread over its renewals, the first at once", () => {
  const text = `<x reg.1.address="33" reg.1.outboundProxy.address="edge.example.com"
    reg.1.outboundProxy.failOver.failBack.mode="duration" reg.1.outboundProxy.failOver.failBack.timeout="60"
    reg.1.server.1.address="192.0.2.30" reg.1.server.1.register="0" reg.1.server.2.address="192.0.2.31"/>`;
  const seen = of(foretoldOf(text, "unregistered.xml", 2), "the primary of proxy 1", "closed");
  assert(seen.back.worst <= 80_000, `${seen.back.worst}`);
  near(seen.registered.worst, 30_000, "the whole period of keep-alives");
});

test("who asks for the phone asks at a server that lives, whoever found out which one fails (drill)", () => {
  const { accounts } = readConfiguration([{ name: "mute.cfg", text: MUTE.replace("900", "60") }]);
  const [account] = accounts;
  assert(account !== undefined);
  const around = { targets: 2, ownLocations: true };
  const [victim] = victimsOf(groundsOf(account, around));
  assert(victim !== undefined);
  const request = { account, rule: () => "", phases: 1, seed: 7 };
  const [silent] = predictionsFor(request, groundsOf(account, around), victim, ["silent"]);
  assert(silent !== undefined && silent.unreachable.worst < 60_000, "not never");
});

test("a way home that is tried each minute is met at all its moments, though renewals come by the hour", () => {
  const seen = foretoldOf(SHORT_PROBE, "probe.cfg", 4);
  const { back } = of(seen, "server 1", "closed");
  assert(back.least < 15_000 && back.worst > 45_000, `${back.least} to ${back.worst} ms`);
});

test("the worst is told of a phone that has just registered, the least of one that is about to", () => {
  const text = `${SHORT_PROBE}account.1.nat.udp_update_enable = 0\naccount.1.sip_server.1.expires = 60\n`;
  for (const phases of [2, 3, 10]) {
    const { registered } = of(foretoldOf(text, "ends.cfg", phases), "server 1", "closed");
    near(registered.worst, 30_000, "worst");
    near(registered.least, 300, "least");
  }
});

test("no part of a period is left out, whatever fraction of it the shorter one beside it is", () => {
  const text = `${SHORT_PROBE}account.1.nat.udp_update_time = 16\naccount.1.sip_server.1.expires = 80\n`;
  const { registered } = of(foretoldOf(text, "parts.cfg", 9), "server 1", "silent");
  near(registered.median, 20_700, "median");
  near(registered.p95, registered.worst, "worst");
  near(registered.least, 900, "least");
});

test("a connection is met at all moments between two keep-alives, and a process that hangs takes new ones", () => {
  const forecasts = foretoldOf(MUTE, "mute.cfg", 4);
  const registered = [false, true].map((hangs) => {
    const seen = of(forecasts, "the primary of server 1", "silent", hangs);
    near(seen.firstCall.worst, 7500, "first call");
    // Whoever is gone from the network takes no connection: that is noticed sooner than a mute answer.
    near(seen.nextCall.worst, hangs ? 7500 : 5000, "next call");
    return seen.registered;
  });
  for (const { least, median, worst } of registered) {
    near(least, 1800, "about to renew");
    assert(median > 10_000 && worst > 32_000 && worst < 47_500, `${median} ${worst}`);
  }
});

test("addresses of the files are nobody else's, and one machine for two servers is one (its death is both's)", () => {
  const among = (first: string, second: string): string[] =>
    foretoldOf(
      TWO.replace("FIRST", first).replace("SECOND", second),
      "two.cfg",
      1,
    ).grounds.servers.map(({ title, spec }) => `${title} ${spec.address}`);
  assert.deepEqual(among("10.78.0.1", "10.78.0.3"), ["server 1 10.78.0.1", "server 2 10.78.0.3"]);
  const [primary, secondary, fallback] = among("pbx.example.net", "10.77.1.14");
  assert.equal(fallback, "server 2 10.77.1.14");
  assert.notEqual(secondary, "the secondary of server 1 10.77.1.14");
  assert.match(primary ?? "", /^the primary of server 1 /);
  const twice = "10.9.9.1\naccount.1.sip_server.2.port = 5080";
  assert.deepEqual(among("10.9.9.1", twice), ["server 1 (also server 2) 10.9.9.1"]);
  const named = "pbx.example.net\naccount.1.sip_server.2.transport_type = 1";
  assert.deepEqual(
    among("pbx.example.net", named).map((one) => one.replace(/ 10\..*/, "")),
    ["the primary of server 1 (also server 2)", "the secondary of server 1 (also server 2)"],
  );
});

test("a process that hangs is told of beside a machine that is gone where there are connections, and only there", () => {
  const faults = (seen: Forecast): unknown[] =>
    forecastRecords(seen).flatMap(({ victim, fault }) => (victim === "server 2" ? fault : []));
  const two = (second: string): Forecast =>
    foretoldOf(TWO.replace("FIRST", "10.9.9.1").replace("SECOND", second), "two.cfg", 1);
  const tcp = "10.9.9.2\naccount.1.sip_server.2.transport_type = 1";
  assert.deepEqual(faults(two("10.9.9.2")), ["closed", "silent", "503"]);
  assert.deepEqual(faults(two(tcp)), ["closed", "silent", "503", "hung"]);
  assert(forecastLines(two(tcp)).includes("When server 2 hangs, its port still open:"));
});

test("servers that speak WebSocket are there, too", () => {
  for (const server of ["{ transport: ws, port: 8080 }", "{ transport: wss }"]) {
    const text = `accounts:\n  - { user: w, servers: [${server.replace("{", "{ address: w.example.net,")}] }\n`;
    const seen = foretoldOf(text, "ws.yaml", 1);
    assert.equal(seen.standing, true, server);
    near(of(seen, "the primary of server 1", "closed").registered.worst, 0, server);
  }
});

test("the same seed foretells the same", () => {
  const [one, other] = [1, 2].map(() =>
    forecastRecords(foretold("P1-fallback-register-both.xml", 1)),
  );
  assert.deepEqual(one, other);
});

function explain(
  ...flags: readonly string[]
): ReturnType<typeof spawnSync> & { stdout: string; stderr: string } {
  const program = join(root, "dist", "src", "apps", "cli.js");
  return spawnSync(process.execPath, [program, "explain", ...flags], {
    cwd: root,
    encoding: "utf8",
  });
}

test("the command tells predictions, bounds, keys with their lines, and traps", () => {
  const { status, stdout, stderr } = explain(
    "--config",
    sample("Y1-register-fallback.cfg"),
    "--phases",
    "1",
  );
  assert.equal(stderr, "");
  assert.equal(status, 0);
  assert.match(stdout, /^When server 1 falls silent: +median +95 % +worst$/m);
  assert.match(stdout, /^ {2}the next call is answered after +7\.5 s +7\.5 s +7\.5 s$/m);
  assert.match(stdout, /^ {2}B {2}registered again after at most +\d+ s$/m);
  assert.match(stdout, /Y1-register-fallback\.cfg:\d+: account\.1\.password = \*\*\* — honoured/);
  assert.match(stdout, /^No traps found\.$/m);
});

test("--json is one object a line, with null for never, and no secret", () => {
  const { status, stdout } = explain(
    "--config",
    sample("Y3-dns-failover.cfg"),
    "--phases",
    "1",
    "--json",
  );
  assert.equal(status, 0);
  const records = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const events = new Set(records.map(({ event }) => event));
  assert.deepEqual([...events].slice(0, 3), [
    "explain.bounded",
    "explain.predicted",
    "explain.read",
  ]);
  const all = records.find(
    ({ victim, fault }) => victim === "all of server 1" && fault === "silent",
  );
  assert.deepEqual(all?.registered, { least: null, median: null, p95: null, worst: null });
  for (const { at, time, node } of records) {
    assert.equal(typeof at, "number");
    assert.match(String(time), /^\d{4}-/);
    assert.equal(node, "explain");
  }
});

test("a file with faults is not explained but told about, all faults at once, exit 2", () => {
  const { status, stdout, stderr } = explain("--config", sample("Y8-faults.cfg"));
  assert.equal(status, 2);
  assert.equal(stdout, "");
  assert(stderr.trim().split("\n").length > 1);
  for (const line of stderr.trim().split("\n")) assert.match(line, /Y8-faults\.cfg:\d+: \S+: .*; /);
});

test("--json of a file with faults has each finding with its code on stdout, exit 2", () => {
  const { status, stdout } = explain("--config", sample("P7-faults.xml"), "--json");
  assert.equal(status, 2);
  const found = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { event: string; code: string; severity: string });
  assert(found.every(({ event, code }) => event === "explain.found" && code !== ""));
  assert.deepEqual(
    found.filter(({ severity }) => severity === "error").map(({ code }) => code),
    ["out-of-range", "out-of-range"],
  );
});

test("--phones tells the load of a fleet, and the storms in it with their codes", () => {
  const { status, stdout } = explain(
    ...["--config", sample("Y5-both-levels.cfg"), "--phases", "1", "--phones", "6000"],
  );
  assert.equal(status, 0);
  assert.match(stdout, /^REGISTERs a second of 6000 such phones:$/m);
  assert.match(stdout, /^ {2}probes of server 1 while they are below it +100\.0$/m);
  for (const code of ["probe-storm", "start-storm", "retry-storm"]) {
    assert.match(stdout, new RegExp(`; write .* \\[${code}\\]$`, "m"));
  }
});

test("--as native prints a file that is the same phone, without its password unless asked", () => {
  const config = ["--config", sample("Y1-register-fallback.cfg"), "--as", "native"];
  const { status, stdout, stderr } = explain(...config);
  assert.deepEqual([status, stderr], [0, ""]);
  assert.match(stdout, /^# yaml-language-server: \$schema=/);
  assert(!stdout.includes("reception-2001"));
  const { accounts } = readConfiguration([{ name: "own.yaml", text: stdout }]);
  const text = readFileSync(join(root, sample("Y1-register-fallback.cfg")), "utf8");
  const own = readConfiguration([{ name: "y.cfg", text }]).accounts;
  assert.deepEqual(accounts, [{ ...own[0], password: "" }]);
  const whole = explain(...config, "--with-secrets").stdout;
  assert.deepEqual(readConfiguration([{ name: "own.yaml", text: whole }]).accounts, own);
});

test("--schema prints the schema of the package; nothing to explain is exit 2", () => {
  const file = readFileSync(join(root, "schema", "phone.schema.json"), "utf8");
  assert.equal(explain("--schema").stdout, file);
  for (const flags of [
    [],
    ["--config", sample("N1-lab.yaml"), "--as", "xml"],
    ["--with-secrets"],
  ]) {
    const { status, stdout, stderr } = explain(...flags);
    assert.deepEqual([status, stdout], [2, ""]);
    assert.match(stderr, /^command line: --\S+: .*; \w/);
  }
});
