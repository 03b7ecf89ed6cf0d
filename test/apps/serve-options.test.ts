/** The flags of `dialtone serve`: what they mean, and what is told about wrong ones. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readOptions, type ServeFlags } from "../../src/apps/serve/options.ts";
import { formatFault } from "../../src/core/provisioning/fault.ts";

const GOOD: ServeFlags = { listen: ["udp:127.0.0.1:5060"], domain: ["Example.com"], open: true };

function faults(flags: ServeFlags): string[] {
  return readOptions(flags, "node").faults.map(formatFault);
}

test("the least that is needed is where to listen, a domain, and who may come in", () => {
  const { options, faults: none } = readOptions(GOOD, "host-1");
  assert.deepEqual(none, []);
  assert.deepEqual(options.listen, [{ transport: "udp", address: "127.0.0.1", port: 5060 }]);
  assert.deepEqual(options.domains, ["example.com"]);
  assert.equal(options.role, "working");
  assert.equal(options.store, "memory");
  assert.equal(options.name, "127.0.0.1-5060");
  assert.equal(options.minExpires, 10);
});

test("every transport and both address families can be listened on", () => {
  const listen = ["udp:[::1]:5060", "tcp:127.0.0.1:0", "ws:127.0.0.1:8080"];
  const { options } = readOptions({ ...GOOD, listen }, "node");
  assert.deepEqual(options.listen[0], { transport: "udp", address: "::1", port: 5060 });
  assert.equal(options.listen.length, 3);
});

test("all faults are told at once, each with what to write instead", () => {
  const told = faults({ listen: ["sctp:1:2"], role: "boss", name: "a b", http: "8080" });
  assert.equal(told.length, 6);
  for (const line of told) assert.match(line, /^command line:1: --[a-z-]+: .+; write /);
});

test("nothing to listen on, no domain, nobody let in: three faults", () => {
  assert.deepEqual(
    faults({}).map((line) => line.split(": ")[1]),
    ["--listen", "--users", "--domain"],
  );
});

test("--users and --open contradict each other", () => {
  assert.match(faults({ ...GOOD, users: "u.yaml" })[0] ?? "", /--open: contradicts --users/);
});

test("challenges are MD5 alone unless asked otherwise, and then the strongest first (R106)", () => {
  assert.deepEqual(readOptions(GOOD, "node").options.algorithms, ["MD5"]);
  const { options } = readOptions({ ...GOOD, digest: "md5,sha-256" }, "node");
  assert.deepEqual(options.algorithms, ["SHA-256", "MD5"]);
});

test("TLS wants a certificate and its key", () => {
  assert.match(faults({ ...GOOD, listen: ["tls:127.0.0.1:5061"] })[0] ?? "", /--certificate FILE/);
});

test("the shortest registration granted is no longer than the longest", () => {
  assert.match(
    faults({ ...GOOD, minExpires: "300", maxExpires: "100" })[0] ?? "",
    /--min-expires: 300 is above/,
  );
  assert.match(
    faults({ ...GOOD, maxExpires: "5" })[0] ?? "",
    /--min-expires: 10 is above --max-expires, 5/,
  );
  assert.deepEqual(faults({ ...GOOD, minExpires: "60", maxExpires: "60" }), []);
});

test("what is advertised is an address or a name", () => {
  for (const advertise of ["", "a b", "[::1]", "192.0.2.1:5060"]) {
    assert.match(
      faults({ ...GOOD, advertise })[0] ?? "",
      /--advertise: '.*' is no host/,
      advertise,
    );
  }
  for (const advertise of ["192.0.2.1", "2001:db8::1", "pbx.example.com"]) {
    assert.deepEqual(faults({ ...GOOD, advertise }), []);
  }
});

test("a wildcard address wants one to advertise", () => {
  const wild = { ...GOOD, listen: ["udp:0.0.0.0:5060"] };
  assert.match(faults(wild)[0] ?? "", /--advertise/);
  assert.deepEqual(faults({ ...wild, advertise: "192.0.2.1" }), []);
});

test("a node without a name is called by its address, or its host where that says nothing", () => {
  const wild = { ...GOOD, listen: ["udp:0.0.0.0:5062"], advertise: "192.0.2.1" };
  assert.equal(readOptions(wild, "host-1").options.name, "host-1-5062");
  const six = { ...GOOD, listen: ["udp:[::1]:5060"] };
  assert.equal(readOptions(six, "host-1").options.name, "..1-5060");
});

test("a Service-Route is a URI", () => {
  const route = { ...GOOD, serviceRoute: "sip:edge.example.com;lr" };
  assert.equal(readOptions(route, "node").options.serviceRoute, "<sip:edge.example.com;lr>");
  assert.match(faults({ ...GOOD, serviceRoute: "edge" })[0] ?? "", /--service-route/);
});

test("ports beyond 65535, names without port and times that are none are faults", () => {
  for (const flags of [
    { listen: ["udp:127.0.0.1:70000"] },
    { listen: ["udp:localhost:5060"] },
    { http: "127.0.0.1" },
    { minExpires: "soon" },
    { maxExpires: "0" },
    { store: "" },
    { digest: "sha-1" },
    { domain: ["exa mple"] },
  ]) {
    assert.equal(faults({ ...GOOD, ...flags }).length, 1, JSON.stringify(flags));
  }
});
