/**
 * Two real Kamailio behind one name, a phone of ours that is given a maker's file, and another one that is registered at
 * both and answers every call.
 */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Capture } from "../support/capture.ts";
import { startDnsmasq } from "../support/dnsmasq.ts";
import { Kamailio } from "../support/kamailio.ts";
import { Household } from "../support/processes.ts";
import { Dialtone, type DialtoneEvent, type SipMessage } from "../support/processes-dialtone.ts";

const EXAMPLES = join(import.meta.dirname, "..", "..", "..", "examples", "provisioning");
const DOMAIN = "pbx.example.com";

/** The registrars grant no more, so that the phone comes to them every two to three seconds. */
export const GRANTED_SECONDS = 5;
/** The user who answers. */
export const CALLEE = "9000";

export interface PhoneUnderTest {
  /** A file of examples/provisioning. */
  readonly example: string;
  /** What to write instead of what stands in it. */
  readonly instead?: (household: Household) => Readonly<Record<string, string>>;
  readonly user: string;
  readonly password: string;
  /** The users of its further accounts, with their passwords. */
  readonly further?: Readonly<Record<string, string>>;
  /** Of the records that lead to the servers, seconds. */
  readonly ttlSeconds?: number;
  /** The servers listen on TCP, too. */
  readonly tcp?: boolean;
}

/** How one request left the primary. */
export interface Move {
  /** From the first unanswered datagram until the first one to the secondary. */
  readonly seconds: number;
  /** When the unanswered datagrams were sent, in seconds after the first. */
  readonly sentAt: readonly number[];
  /** The policy value that decided. */
  readonly rule: string;
}

export class TwoKamailios {
  readonly household: Household;
  readonly capture: Capture;
  readonly primary: Kamailio;
  readonly secondary: Kamailio;
  readonly phone: Dialtone;
  readonly callee: Dialtone;
  readonly #user: string;

  private constructor(
    household: Household,
    capture: Capture,
    servers: readonly [Kamailio, Kamailio],
    phones: readonly [Dialtone, Dialtone],
    user: string,
  ) {
    this.household = household;
    this.capture = capture;
    [this.primary, this.secondary] = servers;
    [this.phone, this.callee] = phones;
    this.#user = user;
  }

  /** Everything runs and both phones are registered when this resolves. */
  static async open(block: number, under: PhoneUnderTest): Promise<TwoKamailios> {
    const household = await Household.open(block);
    try {
      return await TwoKamailios.#furnish(household, under);
    } catch (error) {
      await household.close();
      throw error;
    }
  }

  static async #furnish(household: Household, under: PhoneUnderTest): Promise<TwoKamailios> {
    const capture = await Capture.start(household);
    const { tcp = false, further = {}, ttlSeconds = 300 } = under;
    const users = { ...further, [under.user]: under.password, [CALLEE]: `answers-${CALLEE}` };
    const shared = { domain: DOMAIN, users, maxExpires: GRANTED_SECONDS, tcp };
    const kamailio = (name: string, last: number): Kamailio =>
      new Kamailio(household, name, { ...shared, address: household.address(last) });
    const primary = kamailio("primary", 13);
    const secondary = kamailio("secondary", 14);
    const hosts = { a: primary.settings.address, b: secondary.settings.address };
    const zone = { address: household.address(53), domain: DOMAIN, hosts, ttlSeconds };
    const [dns] = await Promise.all([
      startDnsmasq(household, zone),
      primary.start(),
      secondary.start(),
    ]);
    const callee = startCallee(household, [primary, secondary]);
    const config = adapted(household, under);
    const phone = new Dialtone(household, "phone", [
      ...["phone", "--config", config, "--dns", dns, "--bind", household.address(31)],
    ]);
    const servers = [primary, secondary] as const;
    await Promise.all([
      ...[under.user, ...Object.keys(further)].map((account) =>
        phone.event("registration.accepted", { account, server: 1 }),
      ),
      ...servers.map(({ target }) => callee.event("registration.accepted", { target })),
    ]);
    return new TwoKamailios(household, capture, servers, [phone, callee], under.user);
  }

  /** What a server really holds for the phone: the hosts of the contacts. */
  async held(server: Kamailio, user: string = this.#user): Promise<string[]> {
    const bindings = await server.bindings(user);
    return bindings.map(({ contact }) => /@([^:;]+)/.exec(contact)?.[1] ?? contact);
  }

  get phoneAddress(): string {
    return this.household.address(31);
  }

  /** The phone calls; resolves when it was answered. */
  async call(): Promise<DialtoneEvent> {
    const from = this.phone.mark;
    this.phone.command({ do: "call", to: CALLEE });
    return await this.phone.event("call.answered", {}, from);
  }

  /** Ends the call on both sides. */
  async hangUp(): Promise<void> {
    const from = this.phone.mark;
    const fromCallee = this.callee.mark;
    this.phone.command({ do: "hangup" });
    await this.phone.event("call.ended", {}, from);
    await this.callee.event("call.ended", {}, fromCallee);
  }

  /** Waits until a request that the primary left unanswered has moved to the secondary. */
  async moved(method: string, why: string, from: number): Promise<Move> {
    const { phone, primary, secondary } = this;
    const wanted = { method, from: primary.target, to: secondary.target, why };
    const event = await phone.event("request.failed-over", wanted, from);
    const index = phone.events.indexOf(event);
    const sentTo = (server: Kamailio): SipMessage[] =>
      phone.messages("sent", `${method} `).filter(({ peer }) => peer === server.target);
    const next = await phone.process.until(`${method} at the secondary`, () =>
      sentTo(secondary).find((message) => message.index > index),
    );
    const before = sentTo(primary).filter((message) => message.index < index);
    const unanswered = before.filter(
      ({ text }) => branchOf(text) === branchOf(before.at(-1)?.text),
    );
    const first = unanswered[0]?.at ?? Number.NaN;
    return {
      seconds: (next.at - first) / 1000,
      sentAt: unanswered.map(({ at }) => (at - first) / 1000),
      rule: String(event.rule),
    };
  }

  /** The REGISTERs and INVITEs that the phone has sent since `from`, oldest first. */
  requests(from: number): SipMessage[] {
    const sent = this.phone.messages("sent", "", from);
    return sent.filter(({ startLine }) => /^(REGISTER|INVITE) /.test(startLine));
  }

  async close(): Promise<void> {
    await this.household.close();
  }
}

function branchOf(text = ""): string | undefined {
  return /branch=([^;\s]+)/.exec(text)?.[1];
}

/** Registered at each of the servers, whichever is up. */
function startCallee(household: Household, servers: readonly Kamailio[]): Dialtone {
  const file = household.path("callee.yaml");
  const lines = [
    "every-account: { register-backoff-base: 300 ms, register-backoff-max: 300 ms }",
    "every-server: { overlap: half, register-retries: 1 }",
    "accounts:",
    `  - user: "${CALLEE}"`,
    `    domain: ${DOMAIN}`,
    `    password: answers-${CALLEE}`,
    "    servers:",
    ...servers.map(
      ({ settings }) => `      - { address: ${settings.address}, port: 5060, transport: udp }`,
    ),
  ];
  writeFileSync(file, lines.join("\n"));
  const args = ["phone", "--config", file, "--bind", household.address(32)];
  return new Dialtone(household, "callee", args);
}

/** The example itself, or a copy that differs where it must. */
function adapted(household: Household, under: PhoneUnderTest): string {
  const example = join(EXAMPLES, under.example);
  if (under.instead === undefined) return example;
  let text = readFileSync(example, "utf8");
  for (const [before, now] of Object.entries(under.instead(household))) {
    assert.equal(text.split(before).length, 2, `${before} stands in ${under.example} once`);
    text = text.replace(before, now);
  }
  const file = household.path(under.example);
  writeFileSync(file, text);
  return file;
}
