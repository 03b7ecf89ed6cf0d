/** What all phones of one machine share: one heap of timers, one outbox, one transaction layer, one DNS cache. */
import type { Inquiries } from "../inquiry.ts";
import type { FlowId, Instant, Local, World } from "../machine.ts";
import type { Request } from "../message/message.ts";
import type { Primitives } from "../primitives.ts";
import type { SharedAskings } from "../redundancy/credentials.ts";
import type { PlaceLists } from "../redundancy/place-lists.ts";
import type { Timers } from "../timers.ts";
import type { Flow, ListenerUser } from "../transaction/user.ts";
import type { AccountSender } from "./account-environment.ts";
import type { AnsweringTargets } from "./answering-targets.ts";
import type { MediaSender } from "./call-environment.ts";
import type { SharedTerms } from "./outbound.ts";
import type { Resolutions } from "./resolutions.ts";

/** The transport below, as far as phones use it. */
export interface PhoneSender extends AccountSender, MediaSender {
  bind(local: Local, user: ListenerUser): FlowId;
  unbind(flow: FlowId): void;
  requestStateless(now: Instant, request: Request, flow: Flow): void;
}

export interface PhoneShared {
  readonly world: World;
  readonly timers: Timers;
  readonly primitives: Primitives;
  readonly inquiries: Inquiries;
  readonly sender: PhoneSender;
  readonly answering: AnsweringTargets;
  readonly places: PlaceLists;
  readonly askings: SharedAskings;
  readonly terms: SharedTerms;
  readonly resolutions: Resolutions;
}
