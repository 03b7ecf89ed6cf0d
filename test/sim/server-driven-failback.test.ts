/** An operator sends phones home by reg-event (R84): the real servers and the real phone, in virtual time. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { phoneAddress } from "../../src/apps/sim/fleet/phones.ts";
import { NO_ORIGIN, simulatedPhone } from "../../src/apps/sim/phone-config.ts";
import { Town, type TownPhones } from "../../src/apps/sim/town.ts";
import {
  defaultAccount,
  defaultPolicy,
  defaultServer,
} from "../../src/core/redundancy/policy-defaults.ts";
import type { Recall } from "../../src/core/server/register-desk.ts";
import { Users } from "../../src/core/server/users.ts";

const DOMAIN = "pbx.test";

/** Two servers with one location; the phone is registered at the second, the first one being back. */
class Estate {
  readonly town: Town;
  readonly phone: TownPhones;
  /** `registration.accepted 1` and so on, with the second. */
  readonly heard: string[] = [];

  constructor(name?: string) {
    const user = { name: "2001", password: "x", ha1: {}, voicemail: undefined, groups: [] };
    this.town = new Town({
      seed: 1,
      domains: [DOMAIN],
      users: new Users([user]),
      renewals: false,
      onEvent: ({ node, event, target, at }) => {
        if (node === "phone" && event === "registration.accepted") {
          this.heard.push(`${Math.floor(at / 1000)} ${target}`);
        }
      },
    });
    for (const last of [1, 2]) {
      const address = `10.0.0.${last}`;
      const spec = { address, port: 5060, role: "working", location: "shared" } as const;
      this.town.addServer({ name: `server-${last}`, ...spec });
      this.town.startServer(`server-${last}`);
    }
    this.town.dns.records = [1, 2].flatMap((last) => [
      { type: "A", name: "dual.pbx.test", ttl: 60, address: `10.0.0.${last}` } as const,
    ]);
    const change = {
      transport: "udp",
      port: 5060,
      expiresSeconds: 60,
      overlapSeconds: 10,
    } as const;
    const servers =
      name === undefined
        ? [defaultServer("10.0.0.1", change), defaultServer("10.0.0.2", change)]
        : [defaultServer(name, { ...change, failbackMode: "duration", failbackSeconds: 0 })];
    const redundancy = {
      ...defaultPolicy(...servers),
      registration: "successive" as const,
      probeIntervalMs: 3_600_000,
    };
    const account = defaultAccount("2001", redundancy, {
      domain: DOMAIN,
      password: "x",
      subscribeRegistration: true,
    });
    const place = { address: phoneAddress(0), port: 5060, answer: "auto", number: 0 } as const;
    this.phone = this.town.addPhones(
      "phone",
      [place.address],
      [simulatedPhone([account], place, NO_ORIGIN)],
    );
    this.phone.host.run(() => this.phone.machine.phones[0]?.start());
    this.town.simulation.runUntil(5_000);
    this.town.server("server-1").host.kill();
    this.town.simulation.runUntil(180_000);
    this.town.startServer("server-1");
    this.town.simulation.runUntil(600_000);
    this.heard.length = 0;
  }

  recall(recall: Recall): void {
    const { host, machine } = this.town.server("server-2");
    host.run((now) => machine.removeBindings(now, "2001", () => undefined, recall));
  }

  get home(): string[] {
    return this.heard.filter((line) => line.includes("10.0.0.1"));
  }

  until(seconds: number): this {
    this.town.simulation.runUntil(seconds * 1_000);
    return this;
  }
}

for (const [where, name] of [
  ["another server of the list", undefined],
  ["another target of its name", "dual.pbx.test"],
] as const) {
  test(`a phone that is told "deactivated" goes home to ${where} at once (R84)`, () => {
    const estate = new Estate(name);
    assert.equal(estate.phone.machine.phones[0]?.accounts[0]?.workingServer, name ? 1 : 2);
    estate.recall({ event: "deactivated" });
    estate.until(602);
    assert.equal(estate.home.length, 1, estate.heard.join(", "));
  });
}

test('one that is told "probation" leaves for another server at once (R84)', () => {
  const estate = new Estate();
  estate.recall({ event: "probation", retryAfterSeconds: 90 });
  assert.equal(estate.until(602).home.length, 1, estate.heard.join(", "));
  estate.until(800);
  assert.equal(estate.heard.length, estate.home.length, estate.heard.join(", "));
});

test("without a word it stays where it is until its own probe", () => {
  assert.deepEqual(new Estate().until(1_200).home, []);
});
