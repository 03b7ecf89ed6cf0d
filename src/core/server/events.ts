/** The event packages of a server, joined to what they tell of. */
import type { Inquiries } from "../inquiry.ts";
import type { Instant } from "../machine.ts";
import type { Request } from "../message/message.ts";
import type { Primitives } from "../primitives.ts";
import type { Timers } from "../timers.ts";
import type { Resending } from "../transaction/user.ts";
import type { Binding } from "./binding.ts";
import type { BranchSender } from "./branch.ts";
import type { ServerClock } from "./clock.ts";
import { type CallChange, DialogInfoPackage } from "./dialog-info.ts";
import { type Domains, nameOfKey } from "./domains.ts";
import type { Listeners } from "./listeners.ts";
import { MessageSummaryPackage, type Messages } from "./message-summary.ts";
import { Notifier } from "./notifier.ts";
import { type ContactEvent, RegEventPackage } from "./reg-event.ts";
import type { RegistrarLimits } from "./registration.ts";
import type { Users } from "./users.ts";

export interface EventsParts {
  readonly sender: BranchSender;
  readonly primitives: Primitives;
  readonly timers: Timers;
  readonly inquiries: Inquiries;
  readonly clock: ServerClock;
  readonly domains: Domains;
  readonly listeners: Listeners;
  readonly resending: Resending;
  readonly users: Users | undefined;
  readonly limits: RegistrarLimits;
}

export class Events {
  readonly notifier: Notifier;
  readonly #registrations: RegEventPackage;
  readonly #messages: MessageSummaryPackage;
  readonly #calls: DialogInfoPackage;
  readonly #inquiries: Inquiries;

  constructor(parts: EventsParts) {
    const { clock, domains, inquiries, primitives, limits, users } = parts;
    this.#inquiries = inquiries;
    this.#calls = new DialogInfoPackage({ domains, hash: primitives.hash });
    this.#messages = new MessageSummaryPackage({ domains, users });
    this.#registrations = new RegEventPackage({
      hash: primitives.hash,
      domains,
      epochSeconds: () => clock.epochSeconds,
    });
    const { minExpires, maxExpires } = limits;
    this.notifier = new Notifier({
      ...parts,
      entropy: primitives.entropy,
      minExpires,
      maxExpires,
      packages: [this.#registrations, this.#messages, this.#calls],
    });
  }

  /** A contact of the address-of-record under `key` came or went. */
  contactChanged(
    now: Instant,
    key: string,
    binding: Binding,
    what: ContactEvent,
    retryAfter: number | undefined,
  ): void {
    if (this.notifier.size === 0) return;
    const name = nameOfKey(key);
    const resource = name.slice(0, name.lastIndexOf("@"));
    if (!this.notifier.isWatched("reg", resource)) return;
    const contact = this.#registrations.contact(binding, what, retryAfter);
    this.notifier.changed(now, "reg", resource, this.#registrations.idOf(binding), contact);
  }

  /** An INVITE that begins a call is on its way. */
  callBegun(now: Instant, request: Request): void {
    this.#tell(now, this.#calls.begun(now, request));
  }

  /** A request of a call has got that answer, the first of its kind. */
  callAnswered(now: Instant, { headers, method }: Request, status: number): void {
    const callId = headers.get("call-id") ?? "";
    if (method === "BYE") {
      if (status >= 200) this.#tell(now, this.#calls.moved(callId, "terminated"));
    } else if (status < 300) {
      this.#tell(now, this.#calls.moved(callId, status < 200 ? "early" : "confirmed"));
    } else this.#tell(now, this.#calls.moved(callId, "terminated", status));
  }

  #tell(now: Instant, changes: readonly CallChange[]): void {
    for (const { resource, about, change } of changes) {
      this.notifier.changed(now, "dialog", resource, about, change);
    }
  }

  /** So many messages wait for a user now. @param kept told false if the store is not there. */
  messagesChanged(
    now: Instant,
    resource: string,
    messages: Messages,
    kept: (kept: boolean) => void,
  ): void {
    this.#inquiries.start(now, this.#messages.keep(resource, messages), (at, done) => {
      const summary = this.#messages.summary(resource, messages);
      if (done) this.notifier.changed(at, "message-summary", resource, "", summary);
      kept(done);
    });
  }
}
