/** What the phone gives each of its accounts. */
import type { Instant, Opening, Target } from "../machine.ts";
import type { Primitives } from "../primitives.ts";
import type { RequestSender } from "../redundancy/attempt.ts";
import type { SharedAskings } from "../redundancy/credentials.ts";
import type { PlaceLists } from "../redundancy/place-lists.ts";
import type { AccountPolicy, RedundancyPolicy, ServerPolicy } from "../redundancy/policy.ts";
import type { AttemptPlace } from "../redundancy/request.ts";
import type { ServerHealth } from "../redundancy/server-health.ts";
import type { ResolvedHop } from "../redundancy/server-set.ts";
import type { Timers } from "../timers.ts";
import type { Flow, FlowUser } from "../transaction/user.ts";
import type { EventOutlet } from "./account-events.ts";
import type { AnsweringTargets } from "./answering-targets.ts";
import type { Composer } from "./composer.ts";

/** The transport below, as far as accounts use it beyond requests. */
export interface AccountSender extends RequestSender {
  /** Sends what keeps a flow and its NAT binding alive (RFC 5626 §4.4). */
  keepAlive(now: Instant, flow: Flow, promised: boolean): void;
  /** Tells `user` when the flow is lost; false: it is lost already. */
  watch(flow: Flow, user: FlowUser): boolean;
  unwatch(flow: Flow, user: FlowUser): void;
}

export interface AccountEnvironment extends EventOutlet {
  readonly primitives: Primitives;
  readonly timers: Timers;
  readonly health: ServerHealth;
  readonly sender: AccountSender;
  /** Targets that have answered OPTIONS before. */
  readonly answering: AnsweringTargets;
  /** No call up or ringing on the whole phone. */
  readonly idle: boolean;
  /** Lists of places that equal ones of all accounts share. */
  readonly places: PlaceLists;
  /** What equal ones of all accounts are asked for. */
  readonly askings: SharedAskings;
  /** A request has left out a target that is known to be dead. */
  passedOver(now: Instant, target: Target): void;
  composerFor(config: AccountPolicy): Composer;
  opening(target: Target): Opening;
  resolve(
    now: Instant,
    hops: readonly ServerPolicy[],
    policy: RedundancyPolicy,
    resolved: (now: Instant, hops: readonly ResolvedHop[]) => void,
  ): void;
  /** A registration of account `account` (its index) was accepted. */
  registered(now: Instant, account: number, server: number, place: AttemptPlace): void;
  /** The working server of an account is another. */
  moved(now: Instant, account: number): void;
}
