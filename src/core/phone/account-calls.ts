/** What an account gives its calls: the way out through the redundancy engine, and the way along a dialog. */

import type { Instant, LossCause, Peer } from "../machine.ts";
import type { AudioSink } from "../media/playout.ts";
import type { RtpEnvironment } from "../media/rtp-session.ts";
import type { AudioSource } from "../media/tones.ts";
import type { Request } from "../message/message.ts";
import type { CallPolicy } from "../redundancy/call-policy.ts";
import { FailoverRequest } from "../redundancy/failover.ts";
import type { Plan } from "../redundancy/itinerary.ts";
import type { RedundancyPolicy, ServerPolicy } from "../redundancy/policy.ts";
import type { RequestUser } from "../redundancy/request.ts";
import type { Place } from "../redundancy/server-set.ts";
import { finishes } from "../redundancy/verdict.ts";
import type { Flow, FlowUser } from "../transaction/user.ts";
import type { Account } from "./account.ts";
import type {
  CallEnvironment,
  CallRegister,
  DialogWay,
  Field,
  MediaSender,
  SentRequest,
} from "./call-environment.ts";
import type { Composer } from "./composer.ts";
import { dialogRoute } from "./dialog-route.ts";
import type { PhoneShared } from "./phone-shared.ts";
import { maySignal } from "./unregistered-server.ts";

/** What calls need of the phone itself. */
export interface CallHome {
  readonly register: CallRegister;
  readonly mediaAddress: string;
  readonly recordedSamples: number;
  audioSource(call: number): AudioSource;
  audioSink(call: number): AudioSink | undefined;
}

export class AccountCalls implements CallEnvironment {
  readonly #account: Account;
  readonly #shared: PhoneShared;
  readonly #home: CallHome;

  constructor(account: Account, shared: PhoneShared, home: CallHome) {
    this.#account = account;
    this.#shared = shared;
    this.#home = home;
  }

  get world(): RtpEnvironment["world"] {
    return this.#shared.world;
  }

  get timers(): RtpEnvironment["timers"] {
    return this.#shared.timers;
  }

  get entropy(): RtpEnvironment["entropy"] {
    return this.#shared.primitives.entropy;
  }

  get sender(): MediaSender {
    return this.#shared.sender;
  }

  get composer(): Composer {
    return this.#account.composer;
  }

  get policy(): RedundancyPolicy {
    return this.#account.policy;
  }

  get callPolicy(): CallPolicy {
    return this.#account.config;
  }

  get register(): CallRegister {
    return this.#home.register;
  }

  get mediaAddress(): string {
    return this.#home.mediaAddress;
  }

  get recordedSamples(): number {
    return this.#home.recordedSamples;
  }

  audioSource(call: number): AudioSource {
    return this.#home.audioSource(call);
  }

  audioSink(call: number): AudioSink | undefined {
    return this.#home.audioSink(call);
  }

  server(index: number): ServerPolicy {
    return this.#account.servers.route(index).policy;
  }

  isServer({ address }: Peer): boolean {
    return this.#account.servers.standsAt(address);
  }

  send(now: Instant, user: RequestUser, cseq: number): SentRequest {
    return this.#account.send(now, user, cseq);
  }

  sendInDialog(now: Instant, user: RequestUser, cseq: number, way: DialogWay): SentRequest {
    const account = this.#account;
    const working = account.servers.route(account.workingServer).policy;
    const route = dialogRoute(way, account.servers, working);
    const may = (place: Place): boolean => way.unwanted === true || maySignal(now, account, place);
    // The end of a call may be told by way of a server that has taken the place of the one left.
    const allowed = user.method === "BYE" ? route.places.filter(may) : route.places;
    const [first] = allowed;
    route.places = allowed;
    const plan: Plan = {
      routes: [route],
      startAt: () => 0,
      neverFull: false,
      moves: false,
      finishes: finishes(user.method),
    };
    const request = new FailoverRequest(account, plan, cseq, user);
    if (first === undefined || !may(first)) user.failed(now, { why: "not-registered" });
    else request.start(now);
    return request;
  }

  acknowledge(now: Instant, way: DialogWay, compose: (flow: Flow) => Request): void {
    const account = this.#account;
    const working = account.servers.route(account.workingServer).policy;
    const place = dialogRoute(way, account.servers, working).places[0];
    if (place === undefined) return;
    const sender = this.#shared.sender;
    sender.reach(now, place.target, account.opening(place.target), new AckSender(sender, compose));
  }

  report(event: string, fields: Readonly<Record<string, Field>>): void {
    this.#account.events.report(event, fields);
  }
}

/** An ACK that finds no way is simply lost: the 2xx comes again, and then it is tried again (RFC 3261 §13.2.2.4). */
class AckSender implements FlowUser {
  readonly #sender: PhoneShared["sender"];
  readonly #compose: (flow: Flow) => Request;

  constructor(sender: PhoneShared["sender"], compose: (flow: Flow) => Request) {
    this.#sender = sender;
    this.#compose = compose;
  }

  reached(now: Instant, flow: Flow): void {
    this.#sender.requestStateless(now, this.#compose(flow), flow);
  }

  unreached(_now: Instant, _cause: LossCause): void {}
}
