/** One cell of the fault matrix on real sockets: the phone as it is, real servers and a real name server around it. */
import { setTimeout as pause } from "node:timers/promises";
import { DnsServer } from "../../src/apps/lab/dns-server.ts";
import { type Cell, isDnsFault, isStream } from "../../src/apps/sim/matrix/axes.ts";
import { expectedVerdict } from "../../src/apps/sim/matrix/expected.ts";
import {
  DOMAIN,
  FURTHER_SECONDS,
  lyingZone,
  PLACE_NAMES,
  type PlaceName,
  RETRY_AFTER_SECONDS,
  type Setting,
  STALE_AFTER_MS,
  zoneOf,
} from "../../src/apps/sim/matrix/setting.ts";
import { phoneOf, prepare, readyAt, trigger } from "../../src/apps/sim/matrix/trigger.ts";
import type { MatrixVerdict } from "../../src/apps/sim/matrix/verdict.ts";
import { Witness } from "../../src/apps/sim/matrix/witness.ts";
import { PhoneMachine } from "../../src/core/phone/phone-machine.ts";
import type { ResourceRecord } from "../../src/core/vocabulary.ts";
import { Driver } from "../../src/worlds/node/driver.ts";
import { nodePrimitives } from "../../src/worlds/node/primitives.ts";
import { Resolver } from "../../src/worlds/node/resolver.ts";
import { certificate, certificateOf, fingerprint, key } from "./certificates.ts";
import { peerAt, type RealPeer } from "./matrix-peers.ts";

/** Everything a fifth as long as with the makers' T1, but what the rules give in seconds. */
const TIMES = { t1Ms: 100, connectMs: 1000, slowMs: 4000, dnsTimeoutMs: 600 } as const;
const PORT = 5060;
/** A verdict that has not come by then does not come any more. */
const LONGEST_MS = 40_000;
/** For what should not come after the last step. */
const GRACE_MS = 150;

/** @param network the first three numbers of its addresses, `127.64.3`. */
export function realSetting(network: string): Setting {
  const at = (last: number): string => `${network}.${last}`;
  const address = {
    phone: at(100),
    primary: at(13),
    secondary: at(14),
    fallback: at(15),
    stranger: at(66),
  };
  return { address, port: PORT, ...TIMES };
}

export class RealCell {
  readonly expected: MatrixVerdict;
  readonly #cell: Cell;
  readonly #setting: Setting;
  readonly #phones = new PhoneMachine(nodePrimitives());
  readonly #witness: Witness;
  readonly #peers = new Map<PlaceName, RealPeer>();
  readonly #dns: DnsServer;
  #waiting: (() => void)[] = [];

  constructor(cell: Cell, setting: Setting) {
    this.#cell = cell;
    this.#setting = setting;
    this.expected = expectedVerdict(cell, setting);
    const places = new Map(PLACE_NAMES.map((name) => [setting.address[name], name]));
    this.#witness = new Witness(this.#phones, places, cell.method);
    this.#witness.changed = () => {
      for (const wake of this.#waiting.splice(0)) wake();
    };
    this.#dns = new DnsServer({ zone: zoneWith(zoneOf(cell, setting)) });
  }

  async play(): Promise<MatrixVerdict> {
    for (const name of PLACE_NAMES) await this.#addPeer(name);
    const { port } = await this.#dns.listen(this.#setting.address.primary, 0);
    const { primary: host } = this.#setting.address;
    const resolver = new Resolver({
      servers: [{ host, port }],
      timeoutMs: this.#setting.dnsTimeoutMs,
    });
    const driver = new Driver(this.#witness, {
      resolve: (question, answered) => resolver.ask(question, answered),
      limits: { connectMs: this.#setting.connectMs },
      tls: { pinned: [fingerprint] },
    });
    try {
      await this.#meet(driver);
      await this.#until(() => this.#witness.verdict.length >= this.expected.length);
      await pause(GRACE_MS);
      return [...this.#witness.verdict];
    } finally {
      driver.run(() => this.#phones.close());
      await driver.stop();
      resolver.close();
      await this.#dns.close();
      for (const peer of this.#peers.values()) await peer.close();
    }
  }

  async #addPeer(name: PlaceName): Promise<void> {
    const { address, port } = { address: this.#setting.address[name], port: this.#setting.port };
    const shown = name === "stranger" ? certificateOf("trunk") : certificate;
    const { transport } = this.#cell;
    const peer = await peerAt({ address, port, transport, certificate: shown, key });
    if (name === "stranger") peer.words.mood = { kind: "refusing", status: 404 };
    this.#peers.set(name, peer);
  }

  /** The phone is at work as usual; then the fault and the request meet. */
  async #meet(driver: Driver): Promise<void> {
    const { method, fault } = this.#cell;
    const phone = this.#phones.add(phoneOf(this.#cell, this.#setting));
    const cold = fault === "dns-dead" && method === "REGISTER";
    if (cold) this.#strike();
    driver.run((now) => {
      if (cold) this.#witness.begin(now);
      phone.start();
    });
    if (cold) return;
    await this.#until(() => this.#witness.count("registration.accepted") > 1);
    if (method !== "SUBSCRIBE" && isDnsFault(this.#cell)) await pause(STALE_AFTER_MS);
    driver.run(() => prepare(phone, method));
    await this.#until(() => this.#witness.count(readyAt(method)) > 0);
    this.#strike();
    if (method === "SUBSCRIBE") this.#witness.beginWithRequest();
    else driver.run((now) => this.#witness.begin(now));
    // The end of a connection is known before the request is sent.
    if (fault === "mute" && isStream(this.#cell)) {
      await this.#until(() => this.#witness.verdict.length > 0);
    }
    driver.run((now) => trigger(now, phone, method, this.#witness));
  }

  #strike(): void {
    for (const { words } of this.#peers.values()) words.subscriptionSeconds = FURTHER_SECONDS;
    const primary = this.#peers.get("primary") as RealPeer;
    const { words } = primary;
    switch (this.#cell.fault) {
      case "drop":
      case "icmp":
        throw new RangeError("for routers, not for peers");
      case "rst":
        primary.die();
        break;
      case "mute":
        primary.hang();
        primary.hangUp();
        break;
      case "503-later":
        words.mood = { kind: "refusing", status: 503, retryAfterSeconds: RETRY_AFTER_SECONDS };
        break;
      case "503":
      case "500":
      case "408":
        words.mood = { kind: "refusing", status: Number(this.#cell.fault) };
        break;
      case "slow":
        words.mood = { kind: "slow", ms: this.#setting.slowMs };
        break;
      case "dns-dead":
        this.#dns.setFaults({ mode: "silent" });
        break;
      case "dns-lies":
        this.#dns.setZone(zoneWith(lyingZone(this.#setting)));
        break;
    }
  }

  async #until(reached: () => boolean): Promise<void> {
    let over = false;
    // A timer rings early by another clock: it alone says when the time is over.
    const timer = setTimeout(() => {
      over = true;
      this.#witness.changed();
    }, LONGEST_MS);
    while (!reached() && !over) {
      await new Promise<void>((wake) => this.#waiting.push(wake));
    }
    clearTimeout(timer);
  }
}

function zoneWith(records: readonly ResourceRecord[]): {
  origin: string;
  negativeTtl: number;
  records: readonly ResourceRecord[];
} {
  return { origin: DOMAIN.slice(DOMAIN.indexOf(".") + 1), negativeTtl: 60, records };
}
