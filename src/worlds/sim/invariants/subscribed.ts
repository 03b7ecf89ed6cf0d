/**
 * I3, fourth part: subscriptions are where the registration is, on servers with all features only (C1, V1). A return or
 * a fallback takes them along in new dialogs, those left behind are ended (C26, C29), what stands is renewed in time.
 */
import type { Instant, Target } from "../../../core/machine.ts";
import { signalsRegisteredOnly } from "../../../core/phone/unregistered-server.ts";
import { targetName } from "../../../core/redundancy/server-health.ts";
import type { Place } from "../../../core/redundancy/server-set.ts";
import { CONNECT_TIMEOUT_MS } from "../simulated-stream.ts";
import type { SimulatedEvent } from "../simulation.ts";
import type { SimulatedMessage } from "../surroundings.ts";
import { callIdOf, cseqOf, hasToTag, sendsRequest, TIMER_B_T1 } from "./glance.ts";
import { type Complain, type Invariant, LOOK_MS, type Reach, type Watched } from "./invariant.ts";

/** One dialog. */
interface Dialog {
  /** Event package, and whose. */
  readonly about: string;
  readonly server: number;
  readonly place: string;
  readonly target: Target;
  /** Nothing may be said to a server that was left (onlySignalWithRegistered, C40). */
  readonly muzzled: boolean;
  acceptedAt: Instant;
  /** When it runs out. */
  until: Instant;
  notified: boolean;
  /** A renewal has been sent since it was accepted. */
  renewing: boolean;
  /** Nobody waits for an answer of its notifier any more. */
  left: boolean;
  over: boolean;
}

interface Subscriber {
  readonly one: Watched;
  /** By Call-ID, the newest last. */
  readonly dialogs: Map<string, Dialog>;
  /** Places that its phone takes for dead. */
  readonly suspects: Set<string>;
  /** The place that the account is registered at, and since when that is so. */
  at: string;
  since: Instant;
}

/** A dialog that is to be ended. */
interface Due {
  /** Since then. */
  readonly at: Instant;
  readonly subscriber: Subscriber;
  readonly dialog: Dialog;
}

/** Asked for credentials, or for a longer life. */
const ASKS_AGAIN = /^SIP\/2\.0 (?:401|407|423) /;
/** From the move on, and Timer N on top. */
const MOVE_MS = 10_000;

export class Subscribed implements Invariant {
  readonly #subscribers = new Map<string, Subscriber>();
  readonly #reach: Reach;
  readonly #complain: Complain;
  #due: Due[] = [];
  #nextLook: Instant = 0;

  constructor(watched: readonly Watched[], reach: Reach, complain: Complain) {
    for (const one of watched) this.#subscribers.set(one.node, newSubscriber(one));
    this.#reach = reach;
    this.#complain = complain;
  }

  died(_now: Instant, node: string): void {
    const subscriber = this.#subscribers.get(node);
    if (subscriber !== undefined) this.#subscribers.set(node, newSubscriber(subscriber.one));
  }

  message(message: SimulatedMessage, text: string): void {
    const subscriber = this.#subscribers.get(message.node);
    if (subscriber === undefined) return;
    if (text.startsWith("SUBSCRIBE ") && sendsRequest(message, text)) {
      this.#asks(message, text, subscriber);
    } else if (message.direction === "in") this.#hears(message, text, subscriber);
    else if (text.startsWith("SIP/2.0 481 ") && cseqOf(text).endsWith(" NOTIFY")) {
      // What it gave up before it knew of it is ended by that (R114).
      const dialog = subscriber.dialogs.get(callIdOf(text));
      if (dialog !== undefined) dialog.over = true;
    }
  }

  event({ node, event, package: name, colleague, account, target }: SimulatedEvent): void {
    const suspects = this.#subscribers.get(node)?.suspects;
    if (event === "server.suspected") suspects?.add(String(target));
    else if (event === "server.restored") suspects?.delete(String(target));
    if (event !== "subscription.ended" && event !== "subscription.failed") return;
    const about = `${name} ${colleague ?? account}`;
    for (const dialog of this.#subscribers.get(node)?.dialogs.values() ?? []) {
      if (dialog.about !== about) continue;
      dialog.left ||= event === "subscription.ended" || !isAccepted(dialog);
    }
  }

  check(now: Instant): void {
    if (now < this.#nextLook) return;
    this.#nextLook = now + LOOK_MS;
    for (const due of this.#due) this.#lookForEnd(now, due);
    this.#due = this.#due.filter(({ at }) => now - at <= CONNECT_TIMEOUT_MS);
    for (const subscriber of this.#subscribers.values()) this.#look(now, subscriber);
  }

  /** The way to a server that is well takes no longer than a connection to it. */
  #lookForEnd(now: Instant, { at, dialog, subscriber: { one } }: Due): void {
    if (now - at <= CONNECT_TIMEOUT_MS || dialog.over || !one.active) return;
    if (this.#reach.since(dialog.target.address) > dialog.acceptedAt) return;
    const what = `its subscription to ${dialog.about} at ${dialog.place} was left behind`;
    this.#complain({ invariant: "I3", at: now, node: one.node, what });
  }

  #asks({ at, node, peer }: SimulatedMessage, text: string, subscriber: Subscriber): void {
    const callId = callIdOf(text);
    const known = subscriber.dialogs.get(callId);
    if (known !== undefined) {
      known.renewing = true;
      known.over ||= /^Expires: 0\r?$/m.test(text) && hasToTag(text);
      return;
    }
    const { one, suspects } = subscriber;
    const { account } = one;
    const { transport, address, port } = peer;
    if (transport === "rtp" || hasToTag(text)) return;
    const place = account.servers.placeOf({ transport, address, port });
    if (place === undefined) return;
    const dialog = newDialog(text, place);
    const wrong = this.#misplaced(at, one, place);
    if (wrong !== undefined) this.#complain({ invariant: "I3", at, node, what: wrong });
    for (const former of subscriber.dialogs.values()) {
      const stood = this.#reach.since(former.target.address) <= former.acceptedAt;
      if (former.about !== dialog.about) continue;
      // Nobody waits for its answer any more.
      former.over ||= !isAccepted(former);
      const open = account.health.state(at, former.target) !== "quiet";
      // It waits there until the phone is back.
      former.left ||= !open || suspects.has(former.place);
      const ends = stood && !former.left && !former.muzzled;
      if (ends && lasts(former, at)) {
        this.#due.push({ at, subscriber, dialog: former });
      }
    }
    subscriber.dialogs.set(callId, dialog);
  }

  #misplaced(at: Instant, { account }: Watched, place: Place): string | undefined {
    const { server, target } = place;
    const name = targetName(target);
    if (account.servers.route(server).policy.features === "basic" && !isProxied(account.policy)) {
      return `subscribes at ${name}, a server for basic calls only`;
    }
    const held = account.servers.routes.some(
      ({ index }) => account.registration(index)?.holds(at, target) === true,
    );
    return held ? undefined : `subscribes at ${name}, where it is not registered`;
  }

  #hears(message: SimulatedMessage, text: string, subscriber: Subscriber): void {
    const dialog = subscriber.dialogs.get(callIdOf(text));
    if (dialog === undefined) return;
    const { at } = message;
    if (text.startsWith("NOTIFY ")) {
      dialog.notified = true;
      const [, state = "", left] =
        /^Subscription-State: (\w+)(?:.*?;expires=(\d+))?/m.exec(text) ?? [];
      dialog.over ||= state === "terminated";
      if (left !== undefined) dialog.until = Math.min(dialog.until, at + Number(left) * 1000);
    } else if (/^SIP\/2\.0 [2-6]/.test(text) && cseqOf(text).endsWith(" SUBSCRIBE")) {
      if (!text.startsWith("SIP/2.0 2")) dialog.over ||= !ASKS_AGAIN.test(text);
      else if (!dialog.left) {
        dialog.acceptedAt = at;
        dialog.renewing = false;
        dialog.until = at + Number(/^Expires: (\d+)/m.exec(text)?.[1] ?? 0) * 1000;
      }
    }
  }

  #look(now: Instant, subscriber: Subscriber): void {
    const { one, dialogs } = subscriber;
    const { account, node } = one;
    const registration = account.registration(account.workingServer);
    const target = registration?.place?.target;
    const stands = registration?.state === "registered" && target !== undefined;
    const at = stands ? targetName(target) : "";
    if (subscriber.at !== at) {
      subscriber.at = at;
      subscriber.since = now;
    }
    if (at === "" || !one.active) return;
    for (const dialog of dialogs.values()) {
      if (dialog.over || dialog.renewing || dialog.until > now || dialog.place !== at) continue;
      dialog.over = true;
      if (this.#reach.calmSince > dialog.acceptedAt || subscriber.since > dialog.acceptedAt)
        continue;
      const what = `its subscription to ${dialog.about} at ${dialog.place} has run out`;
      this.#complain({ invariant: "I3", at: now, node, what });
    }
    if (this.#follows(now, subscriber, account.workingServer)) return;
    const what = `did not subscribe at ${at}, where it is registered`;
    this.#complain({ invariant: "I3", at: now, node, what });
  }

  /** Whether its messages are waited for where it is, or have had the time to be asked for. */
  #follows(now: Instant, { one, dialogs, at, since }: Subscriber, server: number): boolean {
    const { account } = one;
    const { policy, places } = account.servers.route(server);
    if (!account.config.messageWaiting || policy.features === "basic") return true;
    const from = Math.max(since, this.#reach.calmSince);
    if (now - from <= MOVE_MS + TIMER_B_T1 * account.policy.t1Ms) return true;
    const here = places.find(({ target }) => targetName(target) === at);
    const stays = here?.hop.resubscribeOnFailover !== true;
    return [...dialogs.values()].some(
      ({ about, place, server: its }) =>
        about.startsWith("message-summary ") &&
        (place === at || (stays && (its === server || isProxied(account.policy)))),
    );
  }
}

function newSubscriber(one: Watched): Subscriber {
  return { one, dialogs: new Map(), suspects: new Set(), at: "", since: 0 };
}

function newDialog(text: string, { server, target, hop }: Place): Dialog {
  const event = /^Event: (\S+)/m.exec(text)?.[1] ?? "";
  const to = /^To: .*?sips?:([^@>]*)/m.exec(text)?.[1] ?? "";
  return {
    about: `${event} ${to}`,
    server,
    place: targetName(target),
    target,
    muzzled: signalsRegisteredOnly(hop),
    acceptedAt: Number.POSITIVE_INFINITY,
    until: Number.POSITIVE_INFINITY,
    notified: false,
    renewing: false,
    left: false,
    over: false,
  };
}

function isAccepted({ acceptedAt }: Dialog): boolean {
  return acceptedAt < Number.POSITIVE_INFINITY;
}

function lasts({ acceptedAt, notified, over, until }: Dialog, at: Instant): boolean {
  return acceptedAt < at && notified && !over && until > at;
}

/** A proxy leads to the server that it chooses. */
function isProxied({ proxies }: Watched["account"]["policy"]): boolean {
  return proxies.length > 0;
}
