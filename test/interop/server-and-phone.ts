/** Our server over UDP, TCP and TLS, and our phone registered at it: what phones of others meet. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type AccountOptions, type Call, Phone, tone } from "../../src/index.ts";
import { Capture } from "../support/capture.ts";
import { Household, PATIENCE_MS } from "../support/processes.ts";
import { Dialtone } from "../support/processes-dialtone.ts";
import { hearTone, secondsOfTone } from "../support/tones.ts";

const CERTIFICATES = join(import.meta.dirname, "..", "..", "..", "test", "node", "certificates");
export const AUTHORITY: string = join(CERTIFICATES, "authority.pem");
/** The name that the certificate speaks for. */
export const DOMAIN = "example.com";
/** Of the phone of others. */
export const THEIR_ACCOUNT: Readonly<Record<"user" | "password" | "domain", string>> = {
  user: "3001",
  password: "gate-3001",
  domain: DOMAIN,
};

/** Whatever is waited for comes in this time. */
export const patience = (): { signal: AbortSignal } => ({
  signal: AbortSignal.timeout(PATIENCE_MS),
});

export class ServerAndPhone {
  readonly household: Household;
  readonly capture: Capture;
  readonly server: Dialtone;
  /** 3002. */
  readonly phone: Phone;

  private constructor(household: Household, capture: Capture, server: Dialtone, phone: Phone) {
    this.household = household;
    this.capture = capture;
    this.server = server;
    this.phone = phone;
  }

  /** @param wishes of our phone. */
  static async open(
    block: number,
    wishes: Pick<AccountOptions, "presenceOf" | "publishPresence"> = {},
  ): Promise<ServerAndPhone> {
    const household = await Household.open(block);
    const capture = await Capture.start(household);
    const address = household.address(13);
    const users = household.path("users.yaml");
    writeFileSync(users, "'3001': gate-3001\n'3002': desk-3002\n");
    const server = new Dialtone(household, "server", [
      ...["serve", "--domain", DOMAIN, "--users", users],
      ...["--listen", `udp:${address}:5060`, `tcp:${address}:5060`, `tls:${address}:5061`],
      ...["--certificate", join(CERTIFICATES, "server.pem")],
      ...["--key", join(CERTIFICATES, "server.key")],
    ]);
    await server.event("server.started");
    const phone = new Phone({
      ...{ user: "3002", password: "desk-3002", domain: DOMAIN, bind: household.address(31) },
      servers: `udp:${address}:5060`,
      ...wishes,
      tls: { authorities: [readFileSync(AUTHORITY, "utf8")] },
    });
    await phone.start();
    await phone.registered(patience());
    return new ServerAndPhone(household, capture, server, phone);
  }

  /** The server as another phone's configuration names it. */
  uri(transport: "udp" | "tcp" | "tls"): string {
    const port = transport === "tls" ? 5061 : 5060;
    return `sip:${this.household.address(13)}:${port};transport=${transport}`;
  }

  /**
   * A phone of others, registered here, calls ours and is called by it, and both hear the other's tone. Then it is gone.
   */
  async isVisited(visitor: Visitor): Promise<void> {
    const { phone } = this;
    const called = once(phone, "call", patience());
    let from = visitor.mark;
    visitor.dial(`sip:3002@${DOMAIN}`);
    const [theirs] = (await called) as [Call];
    await theirs.answer();
    await visitor.established(from);
    await converse(theirs, visitor, () => visitor.hangUp());
    assert.equal((await theirs.ended).why, "peer-hung-up");

    from = visitor.mark;
    const ours = phone.call(THEIR_ACCOUNT.user);
    await visitor.rings(from);
    visitor.answer();
    await ours.answered;
    await visitor.established(from);
    await converse(ours, visitor, () => void ours.hangup());
  }

  /** Everything has ended in peace: so many packets at least went to and fro, and nothing is wrong with any. */
  async assertClean(least: Parameters<Capture["assertClean"]>[0]): Promise<void> {
    await this.phone.stop();
    assert.equal(await this.server.stop(), 0);
    await this.capture.assertClean(least);
  }

  async close(): Promise<void> {
    await this.phone.stop();
    await this.household.close();
  }
}

/** A phone of others, as its user has it in the hand. */
export interface Visitor {
  /** What is waited for `from` a mark came after it. */
  readonly mark: number;
  dial(uri: string): void;
  answer(): void;
  hangUp(): void;
  /** Its tone goes out in the call that is up, and what it hears is kept. */
  speak(): void;
  established(from: number): Promise<unknown>;
  rings(from: number): Promise<unknown>;
  ended(from: number): Promise<unknown>;
  /** Waits until it has heard so many seconds of a tone. */
  hears(hertz: number, seconds: number): Promise<void>;
  heard(): Int16Array;
}

export const OURS_HERTZ = 440;
export const THEIRS_HERTZ = 1000;

/** Both speak, and each hears the other, until `end` ends the call. */
async function converse(call: Call, visitor: Visitor, end: () => void): Promise<void> {
  void call.play(tone(OURS_HERTZ));
  visitor.speak();
  await hearTone(call.listen(), THEIRS_HERTZ, 1);
  await visitor.hears(OURS_HERTZ, 1);
  const from = visitor.mark;
  end();
  await call.ended;
  await visitor.ended(from);
  const heard = visitor.heard();
  assert.ok(secondsOfTone(heard, OURS_HERTZ) >= 1);
  assert.equal(secondsOfTone(heard, THEIRS_HERTZ), 0, "it does not hear itself");
}
