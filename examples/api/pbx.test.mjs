// A PBX of your own, tested against a desk phone in virtual time: hours pass in milliseconds, and equal seeds give equal
// runs. The PBX is a Machine: it is told facts and answers with intentions, and never asks for the time.
//   node --test pbx.test.mjs
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  defaultAccount,
  defaultPhone,
  defaultPolicy,
  defaultServer,
  Outbox,
  PhoneMachine,
  responseTo,
  Timers,
  TransactionLayer,
} from "dialtone/core";
import { purePrimitives, Simulation } from "dialtone/sim";

/** The smallest registrar there is: it lets everybody in, for a minute. */
class Pbx {
  registered = 0;
  #outbox = new Outbox();
  #timers = new Timers();
  #layer = new TransactionLayer({
    world: this.#outbox,
    timers: this.#timers,
    primitives: purePrimitives(1, 1000),
    user: this,
  });

  start(address) {
    this.#layer.bind({ transport: "udp", address, port: 5060 }, this);
  }

  requested(now, transaction) {
    const { request } = transaction;
    const response = responseTo(
      request,
      request.method === "REGISTER" ? 200 : 405,
      undefined,
      "pbx",
    );
    if (request.method === "REGISTER") {
      this.registered += 1;
      response.headers.add("contact", `${request.headers.get("contact")};expires=60`);
    }
    transaction.respond(now, response);
  }

  // What else a transaction user and the owner of a listening address may be told.
  listening() {}
  deaf() {}
  cancelled() {}
  acknowledged() {}
  undelivered() {}
  strayed() {}

  // Facts and intentions.
  bound = (now, flow, local) => this.#layer.bound(now, flow, local);
  opened = (now, flow, peer) => this.#layer.opened(now, flow, peer);
  received = (now, flow, bytes) => this.#layer.received(now, flow, bytes);
  lost = (now, flow, cause) => this.#layer.lost(now, flow, cause);
  answered() {}
  elapsed = (now) => this.#timers.elapsed(now);
  deliver = (world) => this.#outbox.deliver(world);
  get deadline() {
    return this.#timers.deadline;
  }
}

function town() {
  const events = [];
  const simulation = new Simulation({ seed: 7, onEvent: (event) => events.push(event) });
  const [first, second] = ["10.0.0.1", "10.0.0.2"].map((address) => {
    const pbx = new Pbx();
    const host = simulation.addHost(address, [address], pbx);
    host.run(() => pbx.start(address));
    return { pbx, host };
  });
  const servers = ["10.0.0.1", "10.0.0.2"].map((address) =>
    defaultServer(address, { transport: "udp" }),
  );
  const policy = { ...defaultPolicy(...servers), registration: "successive" };
  const phones = new PhoneMachine(purePrimitives(7, 1001));
  const host = simulation.addHost("phone", ["10.0.0.9"], phones);
  const phone = phones.add(defaultPhone([defaultAccount("2001", policy)]));
  host.run(() => phone.start());
  return { simulation, first, second, events };
}

test("a phone stays registered at the first PBX, all day", () => {
  const { simulation, first, second } = town();
  simulation.runFor(24 * 3_600_000);
  assert.ok(first.pbx.registered > 24 * 60);
  assert.equal(second.pbx.registered, 0);
});

test("when the first PBX is frozen, the phone is at the second within its patience, and comes back", () => {
  const { simulation, first, second, events } = town();
  simulation.runFor(1000);
  first.host.freeze();
  const told = (name) => () => events.some(({ event }) => event === name);
  // At most one refresh interval until it asks, and 7.5 s of resends until it gives up.
  assert.ok(
    simulation.runUntilTrue(told("server.fell-back"), simulation.now + 60_000 + 7_500 + 1_000),
  );
  assert.equal(second.pbx.registered, 1);
  first.host.thaw();
  assert.ok(simulation.runUntilTrue(told("server.failed-back"), simulation.now + 120_000));
});
