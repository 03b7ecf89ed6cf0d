/** What a phone gives its subscriptions, and what it asks of those who understand an event package. */
import type { Instant, Target } from "../machine.ts";
import type { Request } from "../message/message.ts";
import type { Entropy } from "../primitives.ts";
import type { FailoverRequest } from "../redundancy/failover.ts";
import type { AccountPolicy, ServerPolicy } from "../redundancy/policy.ts";
import type { AttemptPlace, RequestUser } from "../redundancy/request.ts";
import type { Timers } from "../timers.ts";
import type { ServerTransaction } from "../transaction/user.ts";
import type { DialogWay, Field } from "./call-environment.ts";
import type { Composer } from "./composer.ts";

/** Where an account is registered now. */
export interface Whereabouts {
  /** 1-based. */
  readonly server: number;
  readonly place: AttemptPlace;
  /** The server has all features: subscriptions may go there (V1). */
  readonly full: boolean;
}

/** Told of the NOTIFYs that carry its Call-ID and tag; answers each of them. */
export interface NotifyUser {
  /** A SUBSCRIBE is on its way. */
  readonly busy: boolean;
  notified(now: Instant, transaction: ServerTransaction): void;
  /** The phone is closed: nothing is sent any more. */
  close(): void;
}

/** Who is told of which NOTIFY. */
export interface NotifyRegister {
  join(callId: string, localTag: string, user: NotifyUser): void;
  leave(callId: string, localTag: string): void;
}

export interface SubscriptionEnvironment {
  readonly account: AccountPolicy;
  readonly timers: Timers;
  readonly entropy: Entropy;
  readonly composer: Composer;
  readonly register: NotifyRegister;
  /** A configured server, 1-based. */
  server(index: number): ServerPolicy;
  /** Undefined: registered nowhere, or the last REGISTER was in vain. */
  whereabouts(now: Instant): Whereabouts | undefined;
  /** Tells when no REGISTER is on its way at the working server: at once, or with its outcome. */
  whenSettled(now: Instant, settled: (now: Instant) => void): void;
  /** Nothing speaks against a target: it answered when it was last asked. */
  answers(now: Instant, target: Target): boolean;
  /** A request that begins a dialog at this place and at no other; to be started. */
  outside(user: RequestUser, place: AttemptPlace): FailoverRequest;
  /** A request along a dialog; to be started. Undefined: the policy forbids it (onlySignalWithRegistered). */
  inside(
    now: Instant,
    user: RequestUser,
    cseq: number,
    way: DialogWay,
  ): FailoverRequest | undefined;
  /** The registrar took a binding back. It wants it again after `waitMs`: 0 at once, NEVER not at all. */
  recalled(now: Instant, server: number, why: string, waitMs: number): void;
  /** The Contact under which the account is registered at a server. */
  contactAt(now: Instant, server: number): string | undefined;
  report(event: string, fields: Readonly<Record<string, Field>>): void;
  /** A policy value and where it was read. */
  rule(path: string, value: unknown): string;
}

/** What an event package makes of a NOTIFY's body. */
export interface Notice {
  /** 200, or what the NOTIFY is refused with. */
  readonly status: number;
  /** What is wrong with the body. */
  readonly why?: string;
  /** Something was missed: the whole state is wanted again. */
  readonly stale?: boolean;
  /** What follows from it, once the NOTIFY was answered. */
  readonly act?: (now: Instant) => void;
}

export interface EventPackage {
  readonly name: string;
  /** The body it understands. */
  readonly accept: string;
  /** Whose state it is, if not our own: a user of our domain. */
  readonly user?: string;
  /** The lifetime to ask for, if not that of the account's own. */
  readonly seconds?: number | undefined;
  /** A new dialog has begun: whatever is told next stands alone. */
  begun(): void;
  /** @param server who tells, 1-based. */
  notified(now: Instant, request: Request, server: number): Notice;
}
