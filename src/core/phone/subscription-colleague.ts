/** The lamp of a colleague (BLF): the event package `dialog` of another user (RFC 4235), asked for where we are registered. */

import { MAX_WATCHED_CALLS } from "../dialog/limits.ts";
import {
  DIALOG_INFO_TYPE,
  parseDialogInfo,
  type WatchedCall,
} from "../dialog/subscription-dialog-info.ts";
import type { Instant } from "../machine.ts";
import type { Request } from "../message/message.ts";
import type { EventPackage, Notice, SubscriptionEnvironment } from "./subscription-environment.ts";
import { isOf } from "./subscription-packages.ts";

/** What a lamp shows. */
type Lamp = "idle" | "ringing" | "busy";

export class ColleagueCalls implements EventPackage {
  readonly name = "dialog";
  readonly accept: string = DIALOG_INFO_TYPE;
  readonly user: string;
  readonly seconds: number | undefined;
  readonly #environment: SubscriptionEnvironment;
  #version = -1;
  /** Those that are not over, by their id. */
  readonly #calls = new Map<string, WatchedCall>();
  #told: Lamp | undefined;

  constructor(environment: SubscriptionEnvironment, user: string) {
    this.#environment = environment;
    this.user = user;
    this.seconds = environment.account.watchExpiresSeconds;
  }

  /** The new notifier tells all calls first; until then the lamp shows what it did. */
  begun(): void {
    this.#version = -1;
  }

  notified(_now: Instant, request: Request): Notice {
    if (request.body === "") return { status: 200 };
    if (!isOf(request, this.accept)) return { status: 415, why: "not dialog information" };
    const info = parseDialogInfo(request.body);
    if (info === undefined) return { status: 400, why: "malformed dialog information" };
    if (info.version <= this.#version) return { status: 200 };
    // What was missed is asked for, and what has come is as true as ever (RFC 4235 §4.4).
    const stale = !info.full && info.version !== this.#version + 1;
    this.#version = info.version;
    if (info.full) this.#calls.clear();
    for (const call of info.calls) {
      if (call.state === "terminated") this.#calls.delete(call.id);
      else if (this.#calls.size < MAX_WATCHED_CALLS) this.#calls.set(call.id, call);
    }
    return { status: 200, stale, act: () => this.#tell() };
  }

  #tell(): void {
    const lamp = this.#lamp;
    if (lamp === this.#told) return;
    this.#told = lamp;
    this.#environment.report("colleague.changed", { colleague: this.user, state: lamp });
  }

  get #lamp(): Lamp {
    const calls = [...this.#calls.values()];
    if (calls.some(({ incoming, state }) => !incoming || state === "confirmed")) return "busy";
    return calls.length > 0 ? "ringing" : "idle";
  }
}
