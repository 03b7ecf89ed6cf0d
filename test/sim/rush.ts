/** Phones that all start within a moment, at one server whose work takes time. */
import { phoneAddress } from "../../src/apps/sim/fleet/phones.ts";
import { NO_ORIGIN, simulatedPhone } from "../../src/apps/sim/phone-config.ts";
import { Town, type TownOptions } from "../../src/apps/sim/town.ts";
import {
  defaultAccount,
  defaultPolicy,
  defaultServer,
} from "../../src/core/redundancy/policy-defaults.ts";
import { Users } from "../../src/core/server/users.ts";

export interface Rush {
  readonly phones: number;
  /** REGISTERs a second that the server can do. */
  readonly capacity: number;
  /** All start within this time, milliseconds. */
  readonly withinMs: number;
  /** The server knows nothing of overload. */
  readonly heedless?: boolean;
  readonly spread?: NonNullable<TownOptions["spread"]>;
}

export interface RushRun {
  /** Seconds until so many of a hundred are registered; undefined: never. */
  readonly seconds50: number | undefined;
  readonly seconds99: number | undefined;
  /** Seconds in which something waited longer than T1, so that its sender has resent it. */
  readonly secondsLate: number;
}

const SERVER = "10.0.0.1";
const T1_MS = 500;

export function rush(plan: Rush, seconds: number): RushRun {
  const { phones, capacity, withinMs, heedless = false, spread } = plan;
  const registered = new Set<string>();
  const reached: number[] = [];
  const late = new Set<number>();
  const town = new Town({
    seed: 1,
    domains: ["fleet.test"],
    users: new Users(
      Array.from({ length: phones }, (_, number) => ({
        name: String(2001 + number),
        password: "fleet",
        ha1: {},
        voicemail: undefined,
        groups: [],
      })),
    ),
    renewals: false,
    heedless,
    network: { latencyMs: [2, 10], loss: 0, duplication: 0 },
    ...(spread === undefined ? {} : { spread }),
    onEvent: ({ at, event, account }) => {
      if (event !== "registration.accepted" || registered.has(String(account))) return;
      registered.add(String(account));
      reached.push(at / 1000);
    },
    onWait: (now, waitMs) => {
      if (waitMs > T1_MS) late.add(Math.floor(now / 1000));
    },
  });
  town.addServer({
    name: "one",
    address: SERVER,
    port: 5060,
    role: "working",
    location: "own",
    capacity,
  });
  town.startServer("one");
  const addresses = Array.from({ length: phones }, (_, number) => phoneAddress(number));
  const fleet = town.addPhones("fleet", addresses, []);
  const server = defaultServer(SERVER, { transport: "udp", port: 5060, expiresSeconds: 600 });
  const redundancy = { ...defaultPolicy(server), startSurgeMs: withinMs };
  for (const [number, address] of addresses.entries()) {
    const account = defaultAccount(String(2001 + number), redundancy, {
      domain: "fleet.test",
      password: "fleet",
    });
    fleet.machine.add(
      simulatedPhone([account], { address, port: 5060, answer: "auto", number }, NO_ORIGIN),
    );
  }
  fleet.host.run(() => {
    for (const phone of fleet.machine.phones) phone.start();
  });
  town.simulation.runUntil(seconds * 1000);
  const until = (share: number): number | undefined => reached[Math.ceil(share * phones) - 1];
  return { seconds50: until(0.5), seconds99: until(0.99), secondsLate: late.size };
}
