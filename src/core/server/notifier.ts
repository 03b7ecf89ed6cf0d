/**
 * The notifier of RFC 6665 §4.2: takes SUBSCRIBEs for the event packages of this server and tells the subscribers what
 * happens. It knows nothing of any package. Subscriptions live in this process only: who loses it subscribes where it
 * registers next (R114).
 */
import { copyRecordRoutes, dialogKey, dialogKeyOf, dialogOfServer } from "../dialog/dialog.ts";
import { newTag } from "../identifiers.ts";
import type { Inquiries, Inquiry } from "../inquiry.ts";
import type { Instant } from "../machine.ts";
import { accepts } from "../message/accept.ts";
import { secondsOf } from "../message/delta.ts";
import type { Request, Response } from "../message/message.ts";
import { fromOf } from "../message/name-addr.ts";
import { responseTo } from "../message/print.ts";
import { parseUri, unescapeUser } from "../message/uri.ts";
import type { Entropy } from "../primitives.ts";
import type { Timers } from "../timers.ts";
import type { Flow, Resending, ServerTransaction } from "../transaction/user.ts";
import type { BranchSender } from "./branch.ts";
import type { Domains } from "./domains.ts";
import { MAX_SUBSCRIPTIONS, MAX_WATCHERS } from "./limits.ts";
import type { Listeners, Place } from "./listeners.ts";
import {
  contactOf,
  type NotifierPackage,
  NotifierSubscription,
  type SubscriptionHost,
  type Termination,
} from "./notifier-subscription.ts";
import type { NextStop } from "./routing.ts";
import type { Users } from "./users.ts";

export interface NotifierParts {
  readonly sender: BranchSender;
  readonly timers: Timers;
  readonly inquiries: Inquiries;
  readonly entropy: Entropy;
  readonly resending: Resending;
  readonly listeners: Listeners;
  readonly domains: Domains;
  /** Undefined: everybody is known. */
  readonly users: Users | undefined;
  /** Seconds; shorter is answered 423, longer is shortened. */
  readonly minExpires: number;
  readonly maxExpires: number;
  readonly packages: readonly NotifierPackage[];
}

/** A wish for an hour or more is never too brief (RFC 6665 §4.2.1.1). */
const NEVER_TOO_BRIEF = 3_600;

export class Notifier implements SubscriptionHost {
  readonly sender: BranchSender;
  readonly timers: Timers;
  readonly resending: Resending;
  readonly entropy: Entropy;
  readonly #parts: NotifierParts;
  readonly #packages: ReadonlyMap<string, NotifierPackage>;
  /** By dialog, from our end. */
  readonly #byDialog = new Map<string, NotifierSubscription>();
  /** By package and user. */
  readonly #byResource = new Map<string, Set<NotifierSubscription>>();

  constructor(parts: NotifierParts) {
    this.#parts = parts;
    this.sender = parts.sender;
    this.timers = parts.timers;
    this.resending = parts.resending;
    this.entropy = parts.entropy;
    this.#packages = new Map(parts.packages.map((one) => [one.name, one]));
  }

  get size(): number {
    return this.#byDialog.size;
  }

  /** For Allow-Events. */
  get names(): string {
    return [...this.#packages.keys()].join(", ");
  }

  /** Whether a SUBSCRIBE from outside any dialog asks for a package that is given here. */
  gives(request: Request): boolean {
    return this.#packages.has(packageOf(request));
  }

  /** @returns false if the request is no SUBSCRIBE to this server. It has been admitted. */
  requested(now: Instant, transaction: ServerTransaction, flow: Flow, stop: NextStop): boolean {
    const { request } = transaction;
    if (request.method !== "SUBSCRIBE") return false;
    const key = dialogKeyOf(request);
    if (key === undefined && stop.kind === "user") {
      this.#subscribe(now, transaction, flow, unescapeUser(stop.user));
      return true;
    }
    if (stop.kind !== "self") return false;
    const subscription = key === undefined ? undefined : this.#byDialog.get(key);
    if (subscription === undefined) transaction.respond(now, this.#answer(request, 481));
    else this.#refresh(now, transaction, flow, subscription);
    return true;
  }

  /** Tells all who watch. @param about what the change replaces, as far as it has not been told yet. */
  changed(
    now: Instant,
    packageName: string,
    resource: string,
    about: string,
    change: string,
  ): void {
    const watching = this.#byResource.get(resourceKey(packageName, resource));
    for (const subscription of watching ?? []) subscription.changed(now, about, change);
  }

  /** Whether a change would be told to anybody. */
  isWatched(packageName: string, resource: string): boolean {
    return this.#byResource.has(resourceKey(packageName, resource));
  }

  /** Whether this body is what all who watch were told last. */
  isTold(packageName: string, resource: string, body: string): boolean {
    const watching = this.#byResource.get(resourceKey(packageName, resource));
    for (const subscription of watching ?? []) if (!subscription.isTold(body)) return false;
    return true;
  }

  /** Whose state in a package is watched. */
  watched(packageName: string): string[] {
    const head = resourceKey(packageName, "");
    const keys = [...this.#byResource.keys()].filter((key) => key.startsWith(head));
    return keys.map((key) => key.slice(head.length));
  }

  /** Ends all, each with a last NOTIFY. */
  stop(now: Instant, termination: Termination): void {
    for (const subscription of [...this.#byDialog.values()]) subscription.end(now, termination);
  }

  // What subscriptions need.

  placeFor(flow: Flow): Place {
    return this.#parts.listeners.placeFor(flow.peer);
  }

  ask(now: Instant, body: Inquiry<string>, told: (now: Instant, body: string) => void): void {
    this.#parts.inquiries.start(now, body, told);
  }

  ended(subscription: NotifierSubscription): void {
    const { dialog, resource } = subscription;
    this.#byDialog.delete(dialogKey(dialog.callId, dialog.localTag, dialog.remoteTag));
    const key = resourceKey(subscription.package.name, resource);
    const watching = this.#byResource.get(key);
    watching?.delete(subscription);
    if (watching?.size === 0) this.#byResource.delete(key);
  }

  #subscribe(now: Instant, transaction: ServerTransaction, flow: Flow, resource: string): void {
    const { request } = transaction;
    const eventPackage = this.#packages.get(packageOf(request));
    if (eventPackage === undefined) {
      transaction.respond(now, this.#unknownPackage(request));
      return;
    }
    const seconds = this.#seconds(request, eventPackage.defaultExpires);
    const refused = this.#refusal(request, eventPackage, resource, seconds);
    const tag = newTag(this.entropy);
    const dialog = dialogOfServer(request, tag);
    if (refused !== undefined || dialog === undefined) {
      transaction.respond(now, refused ?? this.#answer(request, 400, "No Contact"));
      return;
    }
    const event = request.headers.get("event") as string;
    const made = new NotifierSubscription(this, dialog, event, eventPackage, resource, flow);
    this.#byDialog.set(dialogKey(dialog.callId, tag, dialog.remoteTag), made);
    const key = resourceKey(eventPackage.name, resource);
    const watching = this.#byResource.get(key);
    if (watching === undefined) this.#byResource.set(key, new Set([made]));
    else watching.add(made);
    this.#accept(now, transaction, flow, seconds, tag);
    made.subscribed(now, seconds, flow);
  }

  #refresh(
    now: Instant,
    transaction: ServerTransaction,
    flow: Flow,
    subscription: NotifierSubscription,
  ): void {
    const { request } = transaction;
    const { dialog } = subscription;
    const seconds = this.#seconds(request, subscription.package.defaultExpires);
    if (!dialog.takeTurn(request)) {
      transaction.respond(now, this.#answer(request, 500, "CSeq Out Of Order"));
      return;
    }
    if (packageOf(request) !== subscription.package.name) {
      transaction.respond(now, this.#unknownPackage(request));
      return;
    }
    if (this.#isTooBrief(seconds)) {
      transaction.respond(now, this.#tooBrief(request));
      return;
    }
    dialog.refreshTarget(request.headers);
    this.#accept(now, transaction, flow, seconds, dialog.localTag);
    subscription.subscribed(now, seconds, flow);
  }

  /** RFC 6665 §4.2.1: what is asked for must exist, be allowed, be readable and last. */
  #refusal(
    request: Request,
    eventPackage: NotifierPackage,
    resource: string,
    seconds: number,
  ): Response | undefined {
    const { users } = this.#parts;
    if (users !== undefined && users.get(resource) === undefined) return this.#answer(request, 404);
    if (!eventPackage.mayWatch(this.#watcher(request), resource)) return this.#answer(request, 403);
    if (!accepts(request.headers, eventPackage.contentType)) return this.#answer(request, 406);
    if (this.#isTooBrief(seconds)) return this.#tooBrief(request);
    const watching = this.#byResource.get(resourceKey(eventPackage.name, resource));
    for (const known of watching ?? [])
      if (known.isMadeBy(request)) return this.#answer(request, 482);
    const full = this.size >= MAX_SUBSCRIPTIONS || (watching?.size ?? 0) >= MAX_WATCHERS;
    return full ? this.#answer(request, 403, "Too Many Subscriptions") : undefined;
  }

  /** The user who asks; undefined: he is of another domain. */
  #watcher(request: Request): string | undefined {
    const uri = parseUri(fromOf(request.headers)?.uri ?? "");
    if (uri === undefined || !this.#parts.domains.serves(uri.host)) return undefined;
    return unescapeUser(uri.user);
  }

  #seconds(request: Request, otherwise: number): number {
    return Math.min(secondsOf(request.headers, "expires") ?? otherwise, this.#parts.maxExpires);
  }

  #isTooBrief(seconds: number): boolean {
    return seconds > 0 && seconds < this.#parts.minExpires && seconds < NEVER_TOO_BRIEF;
  }

  #accept(
    now: Instant,
    transaction: ServerTransaction,
    flow: Flow,
    seconds: number,
    tag: string,
  ): void {
    const { request } = transaction;
    const response = responseTo(request, 200, undefined, tag);
    copyRecordRoutes(request, response);
    response.headers.add("contact", contactOf(this.placeFor(flow))).add("expires", String(seconds));
    transaction.respond(now, response);
  }

  #tooBrief(request: Request): Response {
    const response = this.#answer(request, 423);
    response.headers.add("min-expires", String(this.#parts.minExpires));
    return response;
  }

  #unknownPackage(request: Request): Response {
    const response = this.#answer(request, 489);
    response.headers.add("allow-events", this.names);
    return response;
  }

  #answer(request: Request, status: number, reason?: string): Response {
    return responseTo(request, status, reason, newTag(this.entropy));
  }
}

/** The package that Event names, lower case; empty: none. */
export function packageOf({ headers }: Request): string {
  return (headers.get("event") ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
}

function resourceKey(packageName: string, resource: string): string {
  return `${packageName} ${resource}`;
}
