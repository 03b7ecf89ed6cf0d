/** Everything of one swarm run as plain data: who is there, how they are configured, what befalls them. */
import type { AccountPolicy } from "../../../core/redundancy/policy.ts";
import type { Dialect } from "../../../core/redundancy/policy-defaults.ts";
import type { ResourceRecord } from "../../../core/vocabulary.ts";
import type { NetworkOptions } from "../../../worlds/sim/network.ts";
import type { ServerSpec } from "../town.ts";

export const DOMAIN = "swarm.test";

export type FaultKind =
  | "kill"
  | "freeze"
  | "partition"
  | "refuse-all"
  | "delay"
  | "dns-silent"
  | "dns-failing"
  | "store-away";

export interface PlannedFault {
  readonly atMs: number;
  readonly forMs: number;
  readonly kind: FaultKind;
  /** The server that it befalls; undefined for those that befall everybody. */
  readonly server: string | undefined;
  /** Of `refuse-all`: seconds of Retry-After, 0: none. Of `delay`: milliseconds. */
  readonly amount: number;
}

export interface PlannedCall {
  readonly atMs: number;
  /** Numbers of accounts, 0 … */
  readonly from: number;
  readonly to: number;
  readonly forMs: number;
  /** So long after the call was placed the caller puts it on hold, until a second before the end; undefined: never. */
  readonly holdMs: number | undefined;
}

export interface PlannedRestart {
  readonly atMs: number;
  /** So long it is away; at the latest it is back when the storm is over. */
  readonly forMs: number;
  /** Number of a phone, 0 … */
  readonly phone: number;
}

export interface SwarmPlan {
  readonly seed: number;
  readonly dialect: Dialect;
  readonly servers: readonly ServerSpec[];
  /** Addresses behind each configured server, 1-based in policies. */
  readonly targets: readonly (readonly string[])[];
  /** How many places each configured server resolves to, and then each outbound proxy. */
  readonly places: { readonly servers: readonly number[]; readonly proxies: readonly number[] };
  readonly records: readonly ResourceRecord[];
  readonly ttlSeconds: number;
  readonly accounts: readonly AccountPolicy[];
  /** The number of the phone that each account is on; phones count from 0 without a gap. */
  readonly phones: readonly number[];
  /** How long a phone rings before somebody answers; 0: it answers by itself. */
  readonly ringMs: number;
  readonly authenticated: boolean;
  readonly sharedLocation: boolean;
  readonly network: NetworkOptions;
  readonly faults: readonly PlannedFault[];
  readonly calls: readonly PlannedCall[];
  /** Phones that lose their power, and know nothing of their earlier life when it is back. */
  readonly restarts: readonly PlannedRestart[];
  /** How long the faults go on. */
  readonly stormMs: number;
  /** Whether the whole bound is waited for once all is well, and not only until what it promises has come true. */
  readonly patient: boolean;
}

/** The numbers of the accounts on each phone. */
export function accountsByPhone({ phones }: Pick<SwarmPlan, "phones">): number[][] {
  const lists: number[][] = Array.from({ length: Math.max(...phones) + 1 }, () => []);
  for (const [account, phone] of phones.entries()) lists[phone]?.push(account);
  return lists;
}
