/**
 * Where in-dialog requests go: along the dialog, then to the twins of the server it leads through
 * (redundancy.md §7).
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { NEVER, type Target } from "../../../src/core/machine.ts";
import type { DialogWay } from "../../../src/core/phone/call-environment.ts";
import { dialogRoute } from "../../../src/core/phone/dialog-route.ts";
import { defaultPolicy, defaultServer } from "../../../src/core/redundancy/policy-defaults.ts";
import { ServerSet } from "../../../src/core/redundancy/server-set.ts";

const PRIMARY: Target = { transport: "udp", address: "192.0.2.13", port: 5060 };
const SECONDARY: Target = { transport: "udp", address: "192.0.2.14", port: 5060 };

function servers(): ServerSet {
  const set = new ServerSet(defaultPolicy(defaultServer("pbx.example.com")));
  const targets = [PRIMARY, SECONDARY].map((target, rank) => ({ target, expiresAt: NEVER, rank }));
  set.route(1).resolved([{ targets, expiresAt: NEVER }], false);
  return set;
}

function way(nextHop: string, heard: Target): DialogWay {
  const { transport, address, port } = heard;
  const peer = {
    transport,
    address,
    port,
    localAddress: "192.0.2.20",
    localPort: 5060,
    listener: 1,
  };
  return { nextHop, flow: { id: 1, peer, heardAt: 0, late: false } };
}

function placesOf(nextHop: string, heard: Target): string[] {
  const set = servers();
  return dialogRoute(way(nextHop, heard), set, set.route(1).policy).places.map(
    ({ server, target }) => `${server} ${target.address}:${target.port}`,
  );
}

test("a dialog through the primary goes on there, and by the secondary when that fails", () => {
  assert.deepEqual(placesOf("sip:192.0.2.13;lr", PRIMARY), [
    "1 192.0.2.13:5060",
    "1 192.0.2.14:5060",
  ]);
});

test("a dialog that was heard from the secondary begins there", () => {
  assert.deepEqual(placesOf("sip:pbx.example.com;lr", SECONDARY), [
    "1 192.0.2.14:5060",
    "1 192.0.2.13:5060",
  ]);
});

test("a peer beyond all servers is asked first and is nobody's server: nothing registers there", () => {
  assert.deepEqual(placesOf("sip:2002@192.0.2.77:5070", PRIMARY), [
    "0 192.0.2.77:5070",
    "1 192.0.2.13:5060",
    "1 192.0.2.14:5060",
  ]);
});

test("a peer at a sips address is asked over TLS, at its port unless another is named (R64, R65)", () => {
  const first = (nextHop: string): Target | undefined => {
    const set = servers();
    return dialogRoute(way(nextHop, PRIMARY), set, set.route(1).policy).places[0]?.target;
  };
  const address = "192.0.2.77";
  assert.deepEqual(first("sips:x@192.0.2.77"), { transport: "tls", address, port: 5061 });
  assert.deepEqual(first("sips:x@192.0.2.77:5071"), { transport: "tls", address, port: 5071 });
  assert.deepEqual(first("sips:x@192.0.2.77;transport=tcp"), {
    transport: "tls",
    address,
    port: 5061,
  });
  assert.deepEqual(first("sip:x@192.0.2.77;transport=TLS"), {
    transport: "tls",
    address,
    port: 5061,
  });
});
