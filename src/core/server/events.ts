/** The event packages of a server, joined to what they tell of. */
import type { Inquiries } from "../inquiry.ts";
import type { Instant } from "../machine.ts";
import type { Request } from "../message/message.ts";
import type { Primitives } from "../primitives.ts";
import type { Timers } from "../timers.ts";
import type { Flow, Resending, ServerTransaction } from "../transaction/user.ts";
import type { TraceEvent } from "../vocabulary.ts";
import type { Binding } from "./binding.ts";
import type { BranchSender } from "./branch.ts";
import type { ServerClock } from "./clock.ts";
import { type CallChange, DialogInfoPackage } from "./dialog-info.ts";
import { type Domains, nameOfKey } from "./domains.ts";
import { Expiries, type Watched } from "./expiries.ts";
import type { Listeners } from "./listeners.ts";
import { MessageChanges } from "./message-changes.ts";
import { MessageSummaryPackage, type Messages } from "./message-summary.ts";
import { Notifier, packageOf } from "./notifier.ts";
import { PresencePackage } from "./presence.ts";
import { PublicationDesk } from "./publication-desk.ts";
import { type ContactEvent, RegEventPackage } from "./reg-event.ts";
import type { RegistrarLimits } from "./registration.ts";
import type { NextStop } from "./routing.ts";
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
  /** Other nodes use the same store. */
  readonly shared: boolean;
  /** The life of this node. */
  readonly boot: string;
  /** See RegisterDesk. */
  stands(key: string, bindings: readonly Binding[]): void;
  report(event: TraceEvent): void;
}

export class Events {
  readonly notifier: Notifier;
  readonly #publications: PublicationDesk;
  readonly #presence: PresencePackage;
  readonly #expiries: Expiries;
  /** By user, when the presence that his watchers were told of is to be looked at again. */
  readonly #watched = new Map<string, Watched>();
  readonly #registrations: RegEventPackage;
  readonly #messages: MessageSummaryPackage;
  /** Undefined: there are no other nodes. */
  readonly #messageChanges: MessageChanges | undefined;
  readonly #calls: DialogInfoPackage;
  readonly #inquiries: Inquiries;

  constructor(parts: EventsParts) {
    const { clock, domains, inquiries, primitives, limits, users } = parts;
    this.#inquiries = inquiries;
    this.#calls = new DialogInfoPackage({ domains, hash: primitives.hash });
    this.#messages = new MessageSummaryPackage({
      domains,
      users,
      unread: (user) => this.#messageChanges?.unread(user),
    });
    this.#registrations = new RegEventPackage({
      hash: primitives.hash,
      domains,
      epochSeconds: () => clock.epochSeconds,
      stands: parts.stands,
    });
    this.#expiries = new Expiries(parts.timers, clock, (now, users) => this.#lapsed(now, users));
    this.#presence = new PresencePackage({
      domains,
      epochSeconds: () => clock.epochSeconds,
      isTalking: (user) => this.#calls.isTalking(user),
      stands: parts.stands,
      endsAt: (user, second) => this.#watch(clock.now, user, second),
    });
    const { minExpires, maxExpires } = limits;
    const shared = { ...parts, entropy: primitives.entropy, minExpires, maxExpires };
    this.notifier = new Notifier({
      ...shared,
      packages: [this.#registrations, this.#messages, this.#calls, this.#presence],
    });
    if (parts.shared) {
      const { notifier } = this;
      const summaries = this.#messages;
      this.#messageChanges = new MessageChanges({ ...parts, notifier, summaries });
    }
    this.#publications = new PublicationDesk({
      ...shared,
      presence: this.#presence,
      changed: (now, user) => this.#presenceChanged(now, user),
    });
  }

  /** For Allow-Events. */
  get names(): string {
    return this.notifier.names;
  }

  /** Whether a SUBSCRIBE outside any dialog, or a PUBLISH, is for a package that is given here. */
  gives(request: Request): boolean {
    if (request.method === "PUBLISH") return packageOf(request) === this.#presence.name;
    return this.notifier.gives(request);
  }

  /** @returns false if the request is no SUBSCRIBE or PUBLISH to this server. It has been admitted. */
  requested(now: Instant, transaction: ServerTransaction, flow: Flow, stop: NextStop): boolean {
    return (
      this.notifier.requested(now, transaction, flow, stop) ||
      this.#publications.requested(now, transaction, stop)
    );
  }

  /** Ends all subscriptions, each with a last NOTIFY. */
  stop(now: Instant): void {
    this.#expiries.stop();
    this.#messageChanges?.stop(now);
    this.notifier.stop(now, { reason: "deactivated" });
  }

  /** This node has given the others of its store a sign of life. */
  signOfLife(now: Instant): void {
    this.#messageChanges?.signOfLife(now);
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
    this.#presenceChanged(now, resource);
    if (!this.notifier.isWatched("reg", resource)) return;
    const contact = this.#registrations.contact(binding, what, retryAfter);
    this.notifier.changed(now, "reg", resource, this.#registrations.idOf(binding), contact);
  }

  /** An INVITE that begins a call is on its way. */
  callBegun(now: Instant, request: Request): void {
    this.#tell(now, this.#calls.begun(now, request));
  }

  /** A box takes it: he who was called has nothing to do with it any more. */
  callDiverted(now: Instant, { headers }: Request): void {
    this.#tell(now, this.#calls.diverted(headers.get("call-id") ?? ""));
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
    for (const { resource, about, change, talk } of changes) {
      this.notifier.changed(now, "dialog", resource, about, change);
      if (talk) this.#presenceChanged(now, resource);
    }
  }

  /** Each body is the whole: that there is another one is all there is to tell. */
  #presenceChanged(now: Instant, resource: string): void {
    this.notifier.changed(now, "presence", resource, "", "");
  }

  #watch(now: Instant, resource: string, second: number): void {
    let watched = this.#watched.get(resource);
    if (watched === undefined) {
      watched = { watched: 0 };
      this.#watched.set(resource, watched);
    }
    this.#expiries.watch(now, resource, second, watched);
  }

  /** A refreshed publication is looked at again when it ends. */
  #lapsed(now: Instant, resources: readonly string[]): void {
    for (const resource of resources) {
      this.#watched.delete(resource);
      if (!this.notifier.isWatched("presence", resource)) continue;
      this.#inquiries.start(now, this.#presence.read(resource), (at, stored) => {
        if (stored === undefined || stored.lapsed || stored.live.length === 0) {
          this.#presenceChanged(at, resource);
        } else for (const { expires } of stored.live) this.#watch(at, resource, expires);
      });
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
      if (done) {
        const summary = this.#messages.summary(resource, messages);
        this.notifier.changed(at, "message-summary", resource, "", summary);
        this.#messageChanges?.changed(at, resource);
      }
      kept(done);
    });
  }
}
