/**
 * One subscription as its notifier holds it (RFC 6665 §4.2). At most one NOTIFY is under way; what happens meanwhile is
 * told together by the next one.
 *
 *   SUBSCRIBE ──200, NOTIFY──▶ active ⟲SUBSCRIBE, change: NOTIFY ──time, Expires 0, our wish: last NOTIFY──▶ terminated
 *                                │ NOTIFY refused or unanswered (R114)                                          ▲
 *                                └──────────────────────────────────────────────────────────────────────────────┘
 */

import type { Dialog } from "../dialog/dialog.ts";
import { newBranch } from "../identifiers.ts";
import type { Inquiry } from "../inquiry.ts";
import type { Instant } from "../machine.ts";
import type { Request, Response } from "../message/message.ts";
import { fromOf } from "../message/name-addr.ts";
import { printVia } from "../message/via.ts";
import type { Entropy } from "../primitives.ts";
import { Timer, type TimerOwner, type Timers } from "../timers.ts";
import type { ClientTransactionUser, Flow, FlowUser, Resending } from "../transaction/user.ts";
import type { BranchSender } from "./branch.ts";
import { hostText } from "./domains.ts";
import type { Place } from "./listeners.ts";

/** An event package as its notifier gives it (RFC 6665 §5). */
export interface NotifierPackage {
  readonly name: string;
  /** Of its bodies. */
  readonly contentType: string;
  /** Seconds where a SUBSCRIBE does not say. */
  readonly defaultExpires: number;
  /** @param watcher a user of ours, proven where passwords are asked for; undefined: somebody else. */
  mayWatch(watcher: string | undefined, resource: string): boolean;
  /**
   * The whole state, at once or asked for; empty: it is not known now, and nothing is said of it (RFC 6665 §4.2.2).
   * Versions rise by one with each body of a subscription.
   */
  whole(resource: string, version: number): Inquiry<string> | string;
  /** What has changed, as `Notifier.changed` was told it. */
  partial(resource: string, version: number, changes: readonly string[]): Inquiry<string> | string;
}

/** Why a subscription ends, as its subscriber is told (RFC 6665 §4.1.3). */
export interface Termination {
  readonly reason: "deactivated" | "timeout" | "rejected" | "noresource" | "giveup" | "probation";
  readonly retryAfterSeconds?: number;
}

export interface SubscriptionHost {
  readonly sender: BranchSender;
  readonly timers: Timers;
  readonly resending: Resending;
  readonly entropy: Entropy;
  /** Where the far end of a flow reaches us. */
  placeFor(flow: Flow): Place;
  ask(now: Instant, body: Inquiry<string>, told: (now: Instant, body: string) => void): void;
  ended(subscription: NotifierSubscription): void;
}

export class NotifierSubscription implements ClientTransactionUser, FlowUser, TimerOwner {
  readonly dialog: Dialog;
  readonly package: NotifierPackage;
  /** The user whose state it is. */
  readonly resource: string;
  /** The Event header, which every NOTIFY repeats with its `id`. */
  readonly #event: string;
  readonly #host: SubscriptionHost;
  readonly #timer: Timer = new Timer("subscription", this);
  /** That of the latest SUBSCRIBE: its sender is reached where it came from. */
  #flow: Flow;
  #version = -1;
  #state: "active" | "terminated" = "active";
  #expiresAt: Instant = 0;
  /** A body is being made, or its NOTIFY is under way. */
  #busy = false;
  #wantsWhole = false;
  /** By what they are about, the latest of each; undefined: none. */
  #changes: Map<string, string> | undefined;
  #termination: Termination | undefined;
  #body = "";

  constructor(
    host: SubscriptionHost,
    dialog: Dialog,
    event: string,
    eventPackage: NotifierPackage,
    resource: string,
    flow: Flow,
  ) {
    this.#host = host;
    this.dialog = dialog;
    this.#event = event;
    this.package = eventPackage;
    this.resource = resource;
    this.#flow = flow;
  }

  /** Whether this is the SUBSCRIBE that made it, come by another way (RFC 3261 §8.2.2.2). */
  isMadeBy({ headers }: Request): boolean {
    const { callId, remoteTag } = this.dialog;
    return headers.get("call-id") === callId && fromOf(headers)?.tag === remoteTag;
  }

  /** A SUBSCRIBE was accepted, the first or another: the whole state follows, even if nothing is left (R112). */
  subscribed(now: Instant, seconds: number, flow: Flow): void {
    this.#flow = flow;
    this.#wantsWhole = true;
    this.#changes = undefined;
    this.#expiresAt = now + seconds * 1000;
    if (seconds === 0) this.#termination = { reason: "timeout" };
    else this.#host.timers.set(this.#timer, this.#expiresAt);
    this.#next(now);
  }

  /** @param about what the change replaces, if it has not been told yet. */
  changed(now: Instant, about: string, change: string): void {
    if (this.#wantsWhole || this.#termination !== undefined) return;
    this.#changes ??= new Map();
    this.#changes.set(about, change);
    this.#next(now);
  }

  /** Whether this body is what its subscriber was told last, and has taken. */
  isTold(body: string): boolean {
    return !this.#busy && this.#body === body;
  }

  /** Ends it with a last NOTIFY. */
  end(now: Instant, termination: Termination): void {
    this.#termination ??= termination;
    this.#next(now);
  }

  /** Ends it without a word. */
  drop(): void {
    if (this.#state === "terminated") return;
    this.#state = "terminated";
    this.#host.timers.silence(this.#timer);
    this.#host.ended(this);
  }

  rang(now: Instant): void {
    this.end(now, { reason: "timeout" });
  }

  reached(now: Instant, flow: Flow): void {
    if (this.#state === "terminated") return;
    const request = this.#notify(now, flow);
    this.#host.sender.request(now, request, flow, this.#host.resending, this);
    if (this.#termination !== undefined) this.drop();
  }

  unreached(): void {
    this.drop();
  }

  responded(now: Instant, { status }: Response): void {
    if (status < 200) return;
    this.#busy = false;
    if (status >= 300) this.#body = "";
    // 481 and all else that says that nobody wants it; what a subscriber is merely too busy for, he will get next time.
    if (status >= 300 && status !== 491 && status < 500) this.drop();
    else this.#next(now);
  }

  failed(): void {
    this.drop();
  }

  #next(now: Instant): void {
    if (this.#busy || this.#state === "terminated") return;
    const ending = this.#termination !== undefined;
    if (!ending && !this.#wantsWhole && this.#changes === undefined) return;
    this.#busy = true;
    if (!this.#wantsWhole && this.#changes === undefined) {
      this.#body = "";
      this.#send(now);
      return;
    }
    const { package: by, resource } = this;
    this.#version += 1;
    const inquiry = this.#wantsWhole
      ? by.whole(resource, this.#version)
      : by.partial(resource, this.#version, [...(this.#changes as Map<string, string>).values()]);
    this.#wantsWhole = false;
    this.#changes = undefined;
    const told = (at: Instant, body: string): void => {
      this.#body = body;
      this.#send(at);
    };
    if (typeof inquiry === "string") told(now, inquiry);
    else this.#host.ask(now, inquiry, told);
  }

  #send(now: Instant): void {
    if (this.#state === "terminated") return;
    const { sender } = this.#host;
    const { id, peer } = this.#flow;
    const flow = sender.flow(id);
    const { transport, address, port, listener } = peer;
    if (flow !== undefined) this.reached(now, flow);
    // A connection that is gone was the way to a phone that nobody else knows.
    else if (transport !== "udp") this.unreached();
    else
      sender.reach(now, { transport, address, port }, { from: listener, connected: false }, this);
  }

  #notify(now: Instant, flow: Flow): Request {
    const { transport, address, port } = this.#host.placeFor(flow);
    const host = hostText(address);
    const branch = newBranch(this.#host.entropy);
    const via = printVia(flow.peer.transport.toUpperCase(), host, port, branch, ";rport");
    const request = this.dialog.request("NOTIFY", this.dialog.nextCSeq(), via);
    request.headers
      .add("contact", contactOf({ transport, address, port }))
      .add("event", this.#event)
      .add("subscription-state", this.#stateText(now));
    if (this.#body !== "") request.headers.add("content-type", this.package.contentType);
    return { ...request, body: this.#body };
  }

  #stateText(now: Instant): string {
    const ending = this.#termination;
    if (ending === undefined) {
      return `active;expires=${Math.max(0, Math.round((this.#expiresAt - now) / 1000))}`;
    }
    const { reason, retryAfterSeconds: wait } = ending;
    return `terminated;reason=${reason}${wait === undefined ? "" : `;retry-after=${wait}`}`;
  }
}

/** Where requests inside the dialog come to: this server, no user of it. */
export function contactOf({ transport, address, port }: Place): string {
  const how = transport === "udp" ? "" : `;transport=${transport}`;
  return `<sip:${hostText(address)}:${port}${how}>`;
}
