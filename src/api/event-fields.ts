/** The events of phones and servers with the fields that each has: what listeners are given. */
import type { TimedEvent } from "../worlds/node/driver.ts";

/** What every event has beside its own fields. */
export interface EventStamp {
  /** Milliseconds since the phone or server was started, to the microsecond. */
  readonly at: number;
  /** Wall-clock time, ISO 8601. */
  readonly time: string;
  /** The user of the phone's first account, or the name of the server. */
  readonly node: string;
}

/** Any event, also one that has no type of its own. */
export type AnyEvent = TimedEvent;

/** An event of `Fields` by name, or any of them, told apart by `event`. */
export type EventOf<Fields, Name extends keyof Fields = keyof Fields> = {
  [Each in Name]: EventStamp & { readonly event: Each } & Fields[Each];
}[Name];

/** An event of an account of a phone. */
interface OfAccount {
  /** Its user. */
  readonly account: string;
}

/** An event about one of the configured servers. */
interface OfServer extends OfAccount {
  /** Its number, from 1. */
  readonly server: number;
}

interface OfCall extends OfAccount {
  /** Unique on its phone. */
  readonly call: number;
  /** The URI of the other side. */
  readonly peer: string;
}

interface OfPackage extends OfAccount {
  /** `message-summary`, `reg` or `dialog`. */
  readonly package: string;
  /** Who is watched, where that is not the account itself. */
  readonly colleague?: string;
  readonly server: number;
}

/** Of the account's own presence, and where that is told. */
interface OfPublication extends OfAccount {
  readonly server: number;
  readonly target: string;
}

/** A request left one place. */
interface Leaving {
  readonly method: string;
  /** `timeout`, `refused`, `reset`, `503` … */
  readonly why: string;
  /** The policy value that decided and where it was read: `registerRetries=3 (default)`. */
  readonly rule?: string;
}

/** Fields of the events of a phone. A target is written `udp:192.0.2.13:5060`. */
export interface PhoneEventFields {
  /** It listens; `port` is the real one. */
  "phone.started": { readonly address: string; readonly port: number };
  /** Its local port cannot be had, or is gone. */
  "phone.failed": { readonly why: string };
  /** Calls come over its own connections only: no port for TCP can be had. */
  "phone.unreachable-by-tcp": { readonly why: string };
  /** A server's name came to these targets, best first, apart by spaces. */
  "server.resolved": OfServer & { readonly name: string; readonly targets: string };
  /**
   * Its name came to none: `no-records`, `silent` resolvers, `refused-by-dot` (RFC 2782), `unsupported` transports, or a
   * `bad-name`.
   */
  "server.unresolved": OfServer & { readonly name: string; readonly why: string };
  /** `expires`: seconds granted. */
  "registration.accepted": OfServer & { readonly target: string; readonly expires: number };
  /** Tried again by itself. */
  "registration.failed": OfServer & {
    readonly target?: string;
    /** Instead of a target: the server's name, which came to none. */
    readonly name?: string;
    readonly why: string;
    readonly status?: number;
  };
  "registration.removed": OfServer;
  /** Its connection was lost. */
  "registration.interrupted": OfServer & { readonly target: string; readonly why: string };
  /** The second flow, through another outbound proxy (RFC 5626). */
  "flow.registered": OfServer & { readonly target: string; readonly expires: number };
  "flow.interrupted": OfServer & { readonly target: string; readonly why: string };
  /** Tried again by itself, unless `why` is `not-granted`. */
  "flow.failed": OfServer & {
    readonly target: string;
    readonly why: string;
    readonly status?: number;
  };
  /** The server itself said so (RFC 3680); `waitMs`: until the next try, if there is one. */
  "registration.recalled": OfServer & { readonly why: string; readonly waitMs?: number };
  "attempt.failed": OfServer & Leaving & { readonly target: string };
  /**
   * A request goes on to the next place; or it begins there, since the first is known to be dead or wants quiet: told
   * once, until the first answers again.
   */
  "request.failed-over": OfAccount &
    Leaving & {
      readonly from: string;
      readonly to: string;
      readonly fromServer: number;
      readonly toServer: number;
    };
  /** Nothing was heard of one place, and the next is asked beside it. */
  "request.hedged": OfAccount & {
    readonly method: string;
    readonly from: string;
    readonly to: string;
    readonly fromServer: number;
    readonly toServer: number;
    readonly rule: string;
  };
  /** A target did not answer. */
  "server.suspected": { readonly target: string; readonly why: string };
  "server.restored": { readonly target: string };
  /** The working server is another, further down the list. */
  "server.fell-back": OfAccount & {
    readonly from: number;
    readonly to: number;
    readonly rule: string;
  };
  /** The way back: to a better server, or (with targets) to a better target of the same. */
  "server.failed-back": OfAccount & {
    readonly from: number;
    readonly to: number;
    readonly mode: string;
    readonly fromTarget?: string;
    readonly toTarget?: string;
    readonly rule: string;
  };
  /** The time to go back to a better target has come, and a call is in the way; told once for each such wait. */
  "server.failback-deferred": OfServer & {
    readonly fromTarget: string;
    readonly toTarget: string;
    readonly mode: string;
    readonly why: string;
    /** For how long at most: `idleWaitMaxMs=0 (default)` is for ever. */
    readonly rule: string;
  };
  "server.probed": OfServer & { readonly good: boolean; readonly rule: string };
  "call.started": OfCall & {
    readonly direction: "outgoing" | "incoming";
    readonly callId: string;
  };
  /** `status`: of the provisional response, where we call. */
  "call.ringing": OfCall & { readonly status?: number };
  "call.answered": OfCall;
  "call.ended": OfCall & CallFigures;
  "call.media": OfCall & {
    /** `PCMU` or `PCMA`. */
    readonly codec: string;
    readonly direction: string;
    readonly remote: string;
  };
  /** The first sound of the other side. */
  "call.heard": OfCall;
  /** No audio for two seconds that should have come. */
  "call.silenced": OfCall;
  "call.held": OfCall & { readonly by: "us" | "peer" };
  "call.resumed": OfCall & { readonly by: "us" | "peer" };
  /** The other side pressed a key. */
  "call.key-pressed": OfCall & { readonly key: string };
  /** Holding, resuming or a refresh did not work; the call goes on unless `call.ended` follows. */
  "call.reinvite-failed": OfCall & { readonly why: string; readonly status?: number };
  /** The session interval is over (RFC 4028), and audio is still heard. */
  "call.session-expired": OfCall & { readonly kept: boolean };
  /** The call was sent on by a 3xx, and `to` is called now. */
  "call.redirected": OfCall & { readonly status: number; readonly to: string };
  /** Our REFER is on its way, which asks the other side to call `to` (RFC 3515). */
  "call.transferring": OfCall & { readonly to: string };
  /** The other side has told that its call was answered; this one ends. */
  "call.transferred": OfCall;
  /** The other side would not (`rejected`, with `status`), or its call came to nothing; this one goes on. */
  "call.transfer-failed": OfCall & { readonly why: string; readonly status?: number };
  /** The other side has asked us to call `to`: that is our call `newCall` now. */
  "call.referred": OfCall & { readonly to: string; readonly newCall: number };
  /** An INVITE was refused without becoming a call: the phone is `busy`, `stopping`, or has `too-many` calls. */
  "call.refused": Omit<OfCall, "call"> & { readonly why: string; readonly status: number };
  "subscription.accepted": OfPackage & { readonly expires: number; readonly target: string };
  "subscription.ended": OfPackage & { readonly why: string; readonly waitMs: number };
  "subscription.failed": OfPackage & {
    readonly why: string;
    readonly status?: number;
    readonly waitMs: number;
  };
  "subscription.refused": OfPackage & { readonly why: string };
  "subscription.moved": OfAccount & {
    readonly package: string;
    readonly colleague?: string;
    readonly from: string;
    readonly to: string;
    readonly limited: boolean;
    readonly rule: string;
  };
  "publication.accepted": OfPublication & { readonly expires: number };
  "publication.failed": OfPublication & {
    readonly why: string;
    readonly status?: number;
    readonly waitMs: number;
  };
  "publication.refused": OfPublication & { readonly why: string };
  /** The account is registered elsewhere; `limited`: its presence is not told there. */
  "publication.moved": OfPublication & { readonly from: string; readonly limited: boolean };
  /** A server's certificate was not believed, or ours was not. */
  "connection.distrusted": DistrustFields;
  "notification.refused": OfPackage & { readonly why: string };
  /** The calls of a user who is watched: none, one that rings, or one that goes on or that they have begun. */
  "colleague.changed": OfAccount & {
    readonly colleague: string;
    readonly state: "idle" | "ringing" | "busy";
  };
  /** The presence of a user who is watched; `activity` is in words of RFC 4480, apart by spaces. */
  "presence.changed": OfAccount & {
    readonly of: string;
    readonly state: "open" | "closed";
    readonly activity?: string;
  };
  "message-waiting.changed": OfAccount & {
    readonly waiting: boolean;
    readonly new?: number;
    readonly old?: number;
    /** The URI that tells the messages when it is called. */
    readonly box?: string;
  };
  "message.sent": MessageFields;
  "message.received": MessageFields;
}

/** TLS was refused, by us or by the other side, and why. */
export interface DistrustFields {
  readonly transport: string;
  /** Not known any more of a caller whose certificate was refused. */
  readonly address?: string;
  readonly port?: number;
  readonly why: string;
}

/** How a call was and why it is over. */
export interface CallFigures {
  /** `hung-up`: by us; `peer-hung-up`; `rejected`; `cancelled`; `no-answer`; `timeout`; `transport` … */
  readonly why: string;
  /** Of the refusal, if that ended it. */
  readonly status?: number;
  /** From the answer to the end; 0 if there was no answer. */
  readonly seconds: number;
  /** Packets of audio. */
  readonly sent: number;
  readonly received: number;
  readonly lost: number;
  readonly outOfOrder: number;
  readonly jitterMs: number;
  /** By RTCP, where the peer has asked for it: our packets that it missed, and the way there and back. */
  readonly lostThere?: number;
  readonly roundTripMs?: number;
}

/** One SIP message, where `trace` is on. */
export interface MessageFields {
  readonly transport: string;
  readonly local: string;
  readonly remote: string;
  /** Base64; digest responses are masked. */
  readonly data: string;
}

interface BindingFields {
  /** `sip:2001@example.com` without the scheme, or the user alone, as the server keeps it. */
  readonly aor: string;
  /** The URI at which the phone is reached. */
  readonly contact: string;
  /** Where its REGISTER came from: `udp:192.0.2.7:5060`. */
  readonly source: string;
  /** The node that it came to. */
  readonly registeredAt: string;
  /** Seconds left. */
  readonly expires: number;
}

/** Fields of the events of a server. */
export interface ServerEventFields {
  /** It takes requests. `listen`: the real addresses, apart by spaces. */
  "server.started": {
    readonly name: string;
    readonly role: string;
    readonly listen: string;
    readonly domain: string;
  };
  /** An address cannot be had, or is gone. */
  "server.failed": {
    readonly transport: string;
    readonly address: string;
    readonly port: number;
    readonly why: string;
  };
  /** Nobody is asked for a password. */
  "server.opened": { readonly why: string };
  /** The store is not there yet. */
  "server.waiting": { readonly why: string };
  "server.stopped": object;
  /** It cannot keep up: what arrived waited so long. */
  "server.overloaded": { readonly waitMs: number };
  /** `refused`: requests since `server.overloaded`. */
  "server.relieved": { readonly refused: number };
  "binding.added": BindingFields;
  /** Renewed by its phone: by far most of all events. */
  "binding.refreshed": BindingFields;
  "binding.removed": BindingFields;
  "binding.expired": BindingFields;
  /** A user's presence was published anew or changed, for so many seconds. */
  "publication.accepted": { readonly aor: string; readonly expires: number };
  "publication.removed": { readonly aor: string };
  /** `call`: the Call-ID. */
  "call.started": {
    readonly call: string;
    readonly from: string;
    readonly to: string;
    readonly callees: number;
  };
  "call.ringing": { readonly call: string; readonly status: number };
  "call.answered": { readonly call: string };
  /** A box takes it for `from`, who was called; `status`: what his phones came to. */
  "call.diverted": { readonly call: string; readonly from: string; readonly status?: number };
  "call.refused": { readonly call: string; readonly status: number; readonly why: string };
  "call.ended": { readonly call: string };
  /** Boxes of ours answer at this port of the server's own address. */
  "voicemail.started": { readonly address: string; readonly port: number };
  /** They cannot at that address, or the store of that user's is not there. */
  "voicemail.failed": { readonly why: string; readonly address?: string; readonly user?: string };
  /** `from`: the URI of who called. */
  "voice-message.left": {
    readonly user: string;
    readonly from: string;
    readonly seconds: number;
  };
  /** `from`: where the request came from. */
  "request.refused": {
    readonly method: string;
    readonly status: number;
    readonly why: string;
    readonly from: string;
    readonly call?: string;
  };
  "connection.distrusted": DistrustFields;
  "store.failed": { readonly why: string };
  "store.lost": { readonly store: string };
  "store.restored": { readonly store: string };
  "listener.failed": { readonly why: string };
  /** More connections than a listener takes, or takes from one address; told once a second. */
  "connection.declined": {
    readonly transport: string;
    readonly port: number;
    readonly count: number;
  };
  "message.sent": MessageFields;
  "message.received": MessageFields;
}

/** @internal Tells an event of a phone by its name: whoever reports that name gives these fields. */
export function isPhoneEvent<Name extends keyof PhoneEventFields>(
  event: AnyEvent,
  ...names: readonly Name[]
): event is AnyEvent & EventOf<PhoneEventFields, Name> {
  return names.some((name) => name === event.event);
}

/** @internal The same for an event of a server. */
export function isServerEvent<Name extends keyof ServerEventFields>(
  event: AnyEvent,
  ...names: readonly Name[]
): event is AnyEvent & EventOf<ServerEventFields, Name> {
  return names.some((name) => name === event.event);
}
