/** The event packages a phone subscribes to: waiting messages (RFC 3842) and its own registration (RFC 3680). */
import {
  type ContactInfo,
  parseRegistrationInfo,
  REGINFO_TYPE,
} from "../dialog/subscription-reginfo.ts";
import { parseMessageSummary, SUMMARY_TYPE } from "../dialog/subscription-summary.ts";
import { type Instant, NEVER } from "../machine.ts";
import type { Request } from "../message/message.ts";
import { sameUriText } from "../message/uri.ts";
import { MAX_RECALLS } from "./limits.ts";
import type { EventPackage, Notice, SubscriptionEnvironment } from "./subscription-environment.ts";

const UNDERSTOOD: Notice = { status: 200 };

/** Says `message-waiting.changed` when the lamp or the counts are others. */
export class MessageWaiting implements EventPackage {
  readonly name = "message-summary";
  readonly accept: string = SUMMARY_TYPE;
  readonly #environment: SubscriptionEnvironment;
  #told = "";

  constructor(environment: SubscriptionEnvironment) {
    this.#environment = environment;
  }

  begun(): void {}

  notified(_now: Instant, request: Request): Notice {
    // Without a body the notifier knows nothing yet (C26): no news.
    if (request.body === "") return UNDERSTOOD;
    if (!isOf(request, this.accept)) return { status: 415, why: "not a message summary" };
    const summary = parseMessageSummary(request.body);
    if (summary === undefined) return { status: 400, why: "malformed message summary" };
    const { waiting, voice, account: box } = summary;
    const counted = { waiting, new: voice?.new, old: voice?.old };
    const fields = { ...counted, ...(box === undefined ? {} : { box }) };
    const told = `${waiting} ${voice?.new} ${voice?.old} ${box}`;
    if (told === this.#told) return UNDERSTOOD;
    this.#told = told;
    return {
      status: 200,
      act: () => this.#environment.report("message-waiting.changed", fields),
    };
  }
}

/** Does what the registrar says about our own binding (R84). */
export class RegistrationEvents implements EventPackage {
  readonly name = "reg";
  readonly accept: string = REGINFO_TYPE;
  readonly #environment: SubscriptionEnvironment;
  #version = -1;
  /** Calls to register again since then. */
  #recalls = 0;
  #recallsSince: Instant = Number.NEGATIVE_INFINITY;

  constructor(environment: SubscriptionEnvironment) {
    this.#environment = environment;
  }

  begun(): void {
    this.#version = -1;
  }

  /** Versions rise by one; whoever misses one takes what has come, and asks for the whole again (R83, §5.2). */
  notified(now: Instant, request: Request, server: number): Notice {
    if (request.body === "") return UNDERSTOOD;
    if (!isOf(request, this.accept)) return { status: 415, why: "not registration information" };
    const info = parseRegistrationInfo(request.body);
    if (info === undefined) return { status: 400, why: "malformed registration information" };
    if (info.version <= this.#version) return UNDERSTOOD;
    const stale = !info.full && info.version !== this.#version + 1;
    this.#version = info.version;
    const ours = this.#environment.contactAt(now, server);
    const contact = info.contacts.find(
      (one) => ours !== undefined && one.state === "terminated" && sameUriText(one.uri, ours),
    );
    if (contact === undefined) return { status: 200, stale };
    return { status: 200, stale, act: (at) => this.#obey(at, server, contact) };
  }

  #obey(now: Instant, server: number, contact: ContactInfo): void {
    const asked = this.#waitAfter(contact);
    if (asked === undefined) return;
    const waitMs = this.#spaced(now, asked);
    this.#environment.report("registration.recalled", {
      server,
      why: contact.event,
      waitMs: waitMs === NEVER ? undefined : waitMs,
    });
    this.#environment.recalled(now, server, contact.event, waitMs);
  }

  /** A registrar that calls after each REGISTER is not obeyed at once for ever. */
  #spaced(now: Instant, asked: number): number {
    const { subscribeRetryMs } = this.#environment.account;
    if (now - this.#recallsSince >= subscribeRetryMs) {
      this.#recallsSince = now;
      this.#recalls = 0;
    }
    this.#recalls += 1;
    return this.#recalls > MAX_RECALLS ? Math.max(asked, subscribeRetryMs) : asked;
  }

  /** Undefined: a binding that ended in its own time, or by our own REGISTER. */
  #waitAfter({ event, retryAfter }: ContactInfo): number | undefined {
    if (event === "deactivated") return 0;
    if (event === "rejected") return NEVER;
    if (event !== "probation") return undefined;
    const { subscribeRetryMs } = this.#environment.account;
    return retryAfter === undefined ? subscribeRetryMs : retryAfter * 1000;
  }
}

/** Its body is of that type and as it is. */
export function isOf(request: Request, type: string): boolean {
  const named = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  return named === type && !request.headers.has("content-encoding");
}
