/** Phones and servers that keep to their flows (RFC 5626), both real, over a network that loses them. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { simulatedPhone } from "../../src/apps/sim/phone-config.ts";
import { Town, type TownPhones } from "../../src/apps/sim/town.ts";
import type { RedundancyPolicy } from "../../src/core/redundancy/policy.ts";
import {
  defaultAccount,
  defaultPolicy,
  defaultServer,
} from "../../src/core/redundancy/policy-defaults.ts";
import type { SimulatedEvent } from "../../src/worlds/sim/simulation.ts";

const ONE = "10.0.0.1";
const TWO = "10.0.0.2";

type Transport = "udp" | "tcp";

/** Two servers of one system, and phones that know both. */
class Place {
  readonly town: Town;
  readonly events: SimulatedEvent[] = [];
  /** Requests as phones heard them, `bob INVITE`. */
  readonly heard: string[] = [];
  #phones = 0;

  constructor(seed: number) {
    this.town = new Town({
      seed,
      domains: ["lab.test"],
      users: undefined,
      renewals: true,
      onEvent: (event) => this.events.push(event),
      onMessage: ({ node, direction, bytes }) => {
        const method = /^([A-Z]+) sip/.exec(Buffer.from(bytes).toString("latin1"))?.[1];
        if (direction === "in" && method !== undefined) this.heard.push(`${node} ${method}`);
      },
    });
    for (const [name, address] of [
      ["one", ONE],
      ["two", TWO],
    ] as const) {
      this.town.addServer({ name, address, port: 5060, role: "working", location: "shared" });
      this.town.startServer(name);
    }
    this.pass(1);
  }

  phone(name: string, transport: Transport, change: Partial<RedundancyPolicy> = {}): TownPhones {
    const over = (address: string) => defaultServer(address, { transport, port: 5060 });
    const servers = change.proxies === undefined ? [over(ONE), over(TWO)] : [over(ONE)];
    const redundancy = { ...defaultPolicy(...servers), ...change };
    const account = defaultAccount(name, redundancy, { domain: "lab.test" });
    this.#phones += 1;
    const address = `10.0.1.${this.#phones}`;
    const place = { address, port: 5060, answer: "auto", number: this.#phones } as const;
    const phones = this.town.addPhones(name, [address], [simulatedPhone([account], place)]);
    phones.host.run(() => phones.machine.phones[0]?.start());
    this.pass(1);
    return phones;
  }

  pass(seconds: number): this {
    this.town.simulation.runFor(seconds * 1000);
    return this;
  }

  /** Seconds from now until an event of that node, which comes within `most`. */
  until(node: string, event: string, most: number): number {
    const from = this.town.simulation.now;
    const known = this.events.length;
    const come = (): boolean =>
      this.events.slice(known).some((one) => one.node === node && one.event === event);
    const done = this.town.simulation.runUntilTrue(come, from + most * 1000);
    assert.ok(done, `${node} ${event} within ${most} s`);
    return (this.town.simulation.now - from) / 1000;
  }

  /** Seconds until the call is answered. */
  call(from: TownPhones, to: string, most = 5): number {
    const [phone] = from.machine.phones;
    from.host.run(() => phone?.call(`${to}@lab.test`));
    return this.until(from.name, "call.answered", most);
  }

  bindings(user: string): string[] {
    const read = { kind: "store.read", key: `aor/${user}@lab.test` } as const;
    const stored = this.town.shared.ask(read);
    const text = stored.kind === "stored" ? (stored.value ?? "") : "";
    return [...text.matchAll(/reg-id=(\d+)/g)].map(([, regId]) => regId as string).sort();
  }
}

suite("a phone with a flow to each of two servers", () => {
  test("is two bindings and one phone: it rings once (R90, R101)", () => {
    const place = new Place(1);
    const alice = place.phone("alice", "tcp");
    place.phone("bob", "tcp");
    assert.deepEqual(place.bindings("bob"), ["1", "2"]);
    place.call(alice, "bob");
    assert.deepEqual(
      place.heard.filter((line) => line === "bob INVITE"),
      ["bob INVITE"],
    );
  });

  test("is called over the other at once when one server dies (R93, R101)", () => {
    const place = new Place(2);
    const alice = place.phone("alice", "tcp");
    place.phone("bob", "tcp");
    place.town.server("one").host.kill();
    assert.ok(place.call(alice, "bob") < 1);
    place.town.startServer("one");
    place.until("bob", "registration.accepted", 20);
    assert.deepEqual(place.bindings("bob"), ["1", "2"]);
  });

  test("finds a mute connection out within its keep-alive and 10 s, though TCP holds it open (R94)", () => {
    for (const seed of [3, 4, 5]) {
      const place = new Place(seed);
      const alice = place.phone("alice", "tcp");
      place.phone("bob", "tcp");
      place.pass(70).town.server("one").host.freeze();
      assert.ok(place.until("bob", "registration.interrupted", 40) <= 40);
      place.pass(20);
      assert.ok(place.call(alice, "bob") < 2);
      place.town.server("one").host.thaw();
      place.pass(60);
      assert.deepEqual(place.bindings("bob"), ["1", "2"]);
    }
  });

  test("finds a mute datagram server out within its keep-alive and 7.5 s, by STUN (R96)", () => {
    const place = new Place(6);
    place.phone("bob", "udp", { outbound: "always" });
    assert.deepEqual(place.bindings("bob"), ["1", "2"]);
    place.pass(300);
    assert.equal(
      place.events.some(({ event }) => event === "registration.interrupted"),
      false,
    );
    place.town.server("one").host.freeze();
    assert.ok(place.until("bob", "registration.interrupted", 37.6) <= 37.6);
    place.town.server("one").host.thaw();
    place.pass(60);
    assert.deepEqual(place.bindings("bob"), ["1", "2"]);
  });

  test("renews each under its reg-id for a day, and leaves nothing when it stops (R98)", () => {
    const place = new Place(7);
    const bob = place.phone("bob", "tcp");
    place.pass(86_400);
    assert.deepEqual(place.bindings("bob"), ["1", "2"]);
    bob.host.run((now) => bob.machine.phones[0]?.stop(now));
    place.pass(5);
    assert.deepEqual(place.bindings("bob"), []);
    bob.host.run(() => bob.machine.close());
    assert.equal(bob.machine.holdings, 0);
  });
});

suite("a phone with two outbound proxies", () => {
  const proxies = [ONE, TWO].map((one) => defaultServer(one, { transport: "tcp", port: 5060 }));

  test("has a flow through each, and is called through the second while the first is dead (R90, R93)", () => {
    const place = new Place(8);
    const alice = place.phone("alice", "tcp", { proxies });
    place.phone("bob", "tcp", { proxies });
    assert.deepEqual(place.bindings("bob"), ["1", "101"]);
    place.call(alice, "bob");
    alice.host.run((now) => alice.machine.phones[0]?.hangup(now));
    place.pass(5).town.server("one").host.kill();
    assert.ok(place.call(alice, "bob") < 1);
    assert.deepEqual(
      place.heard.filter((line) => line === "bob INVITE"),
      ["bob INVITE", "bob INVITE"],
    );
  });

  test("has both again after the first proxy is back, whichever flow leads where (R97, R98)", () => {
    const place = new Place(9);
    place.phone("bob", "tcp", { proxies });
    place.town.server("one").host.kill();
    place.pass(120).town.startServer("one");
    place.pass(400);
    assert.deepEqual(place.bindings("bob"), ["1", "101"]);
    const open = [...place.town.servers].map(({ machine }) => machine.state);
    assert.deepEqual(open, ["running", "running"]);
  });
});
