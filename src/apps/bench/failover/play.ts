/** One cell played: servers, names and phones are started, the primary fails, and what the servers see is timed. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Crew, pause } from "../crew.ts";
import type { Cell, CellFigures } from "./cell.ts";
import { HOSTS } from "./ground.ts";
import { serveNames } from "./names.ts";
import { CALLER, dialtone, type PhoneUnderTest, startPhone } from "./phones.ts";
import { BenchServer } from "./servers.ts";
import { type Sighting, Sightings, type Standing } from "./sightings.ts";

export interface Stage {
  readonly crew: Crew;
  readonly folder: string;
  /** `127.0.0`: the addresses of `HOSTS` below it. */
  readonly prefix: string;
  /** Nobody else is in this network: packets can be dropped, and port 53 is free. */
  readonly isolated: boolean;
  /** Told when everything runs and the phone is registered on the primary. */
  ready?(): void;
}

const DOMAIN = "failover.test";
const CALLEE = "9000";
/** Seconds that a phone may take to be registered at first. */
const FIRST_S = 30;
/** From being registered until the primary fails: a renewal is as far away as it can be. */
const SETTLED_MS = 5000;
const BEFORE_DIALLING_MS = 500;
/** From being registered on the secondary until the next call. */
const BEFORE_LATER_MS = 3000;
/** From that call until the primary returns. */
const BEFORE_RETURN_MS = 10_000;
const TTL_S = 30;

const ANSWERED = ({ what, user }: Sighting): boolean => what === "answered" && user === CALLER;

export class Play {
  readonly #cell: Cell;
  readonly #stage: Stage;
  readonly #seen = new Sightings();
  readonly #primary: BenchServer;
  readonly #secondary: BenchServer;

  constructor(cell: Cell, stage: Stage) {
    this.#cell = cell;
    this.#stage = stage;
    const server = (standing: Standing): BenchServer => {
      const address = this.#address(standing);
      const place = { standing, address, domain: DOMAIN, folder: stage.folder };
      return new BenchServer(stage.crew, place, this.#seen);
    };
    this.#primary = server("primary");
    this.#secondary = server("secondary");
  }

  /** @throws Error when something did not start, or never registered on the primary. */
  async run(): Promise<CellFigures> {
    const { crew, folder, isolated } = this.#stage;
    const dns = { address: this.#address("dns"), port: isolated ? 53 : 5353 };
    const hosts = { a: this.#address("primary"), b: this.#address("secondary") };
    const names = { ...dns, domain: DOMAIN, hosts, ttl: TTL_S };
    const endNames = await serveNames(crew, folder, names);
    await Promise.all([this.#primary.start(), this.#secondary.start()]);
    await this.#startCallee(dns);
    const { phone: name, expires, scenario } = this.#cell;
    const station = { crew, folder: join(folder, "phone"), domain: DOMAIN, dns, expires };
    const phone = await startPhone(name, { ...station, address: this.#address("phone") });
    await this.#needs("primary", CALLER);
    this.#stage.ready?.();
    await pause(SETTLED_MS);
    const failedAt = await this.#fail();
    const figures = await (scenario === "call"
      ? this.#calls(phone)
      : this.#registers(phone, failedAt));
    await endNames();
    return figures;
  }

  async #calls(phone: PhoneUnderTest): Promise<CellFigures> {
    await pause(BEFORE_DIALLING_MS);
    const next = await this.#call(phone);
    if (!Number.isFinite(next)) return { next };
    return { next, again: await this.#call(phone) };
  }

  async #registers(phone: PhoneUnderTest, failedAt: number): Promise<CellFigures> {
    const registered = await this.#registeredOn("secondary", failedAt);
    if (!Number.isFinite(registered)) return { registered };
    await pause(BEFORE_LATER_MS);
    const later = await this.#call(phone);
    await pause(BEFORE_RETURN_MS);
    const returnedAt = await this.#return();
    // Who has stood still answers first what was sent to him meanwhile: that is no return of the phone.
    const told = this.#cell.fault === "closed" || this.#stage.isolated;
    if (!told) return { registered, later };
    return { registered, later, back: await this.#registeredOn("primary", returnedAt) };
  }

  async #call(phone: PhoneUnderTest): Promise<number> {
    const dialledAt = Date.now();
    phone.dial(CALLEE);
    const seconds = await this.#seen.secondsUntil(dialledAt, ANSWERED, this.#cell.maxWait);
    // The ACK and its BYE go the same way, and are no part of this.
    await pause(BEFORE_DIALLING_MS);
    phone.hangUp();
    await pause(BEFORE_DIALLING_MS);
    return seconds;
  }

  #registeredOn(standing: Standing, since: number): Promise<number> {
    const wanted = ({ what, user, server }: Sighting): boolean =>
      what === "registered" && user === CALLER && server === standing;
    return this.#seen.secondsUntil(since, wanted, this.#cell.maxWait);
  }

  /** @returns when, on the wall clock. */
  async #fail(): Promise<number> {
    const at = Date.now();
    if (this.#cell.fault === "closed") await this.#primary.kill();
    else await this.#primary.silence(this.#stage.isolated);
    return at;
  }

  async #return(): Promise<number> {
    if (this.#cell.fault === "closed") await this.#primary.start();
    else await this.#primary.restore(this.#stage.isolated);
    return Date.now();
  }

  /** Registered at both, whatever becomes of one of them, and answers at once. */
  async #startCallee(dns: { readonly address: string; readonly port: number }): Promise<void> {
    const servers = (["primary", "secondary"] as const).map(
      (standing) => `      - { address: ${this.#address(standing)}, port: 5060, transport: udp }`,
    );
    const config = join(this.#stage.folder, "callee.yaml");
    const account = [`  - user: "${CALLEE}"`, `    domain: ${DOMAIN}`, "    password: none"];
    writeFileSync(config, ["accounts:", ...account, "    servers:", ...servers, ""].join("\n"));
    const { crew } = this.#stage;
    await dialtone({ crew, address: this.#address("callee"), dns }, config);
    await Promise.all([this.#needs("primary", CALLEE), this.#needs("secondary", CALLEE)]);
  }

  async #needs(standing: Standing, who: string): Promise<void> {
    const seen = await this.#seen.first(
      ({ what, user, server }) => what === "registered" && user === who && server === standing,
      FIRST_S,
    );
    if (seen === undefined) throw new Error(`${who} never registered on the ${standing}`);
  }

  #address(host: keyof typeof HOSTS): string {
    return `${this.#stage.prefix}.${HOSTS[host]}`;
  }
}
