/**
 * One subscription as the subscriber holds it (RFC 6665 §4.1.2), from its SUBSCRIBE to its end. The first NOTIFY makes
 * the dialog; sending, and when, are for the owner.
 *
 *   init ──SUBSCRIBE──▶ notify_wait ──NOTIFY──▶ pending ◀──NOTIFY──▶ active
 *                            │ Timer N, refusal    │ NOTIFY terminated  │
 *                            └─────────────────────┴──▶ terminated ◀────┘
 */
import type { Request, Response } from "../message/message.ts";
import { fromOf, toOf } from "../message/name-addr.ts";
import { paramOf } from "../message/params.ts";
import { type Dialog, dialogOfClient, dialogOfServer } from "./dialog.ts";
import { type SubscriptionState, subscriptionStateOf } from "./subscription-state.ts";

export type SubscriptionPhase = "init" | "notify_wait" | "pending" | "active" | "terminated";

export class SubscriptionUsage {
  readonly callId: string;
  readonly localTag: string;
  /** The event package, which has no `id` here: a dialog holds one subscription. */
  readonly event: string;
  state: SubscriptionPhase = "init";
  #dialog: Dialog | undefined;
  #cseq = 0;
  /** The acceptance that came before any NOTIFY. */
  #acceptance: { readonly request: Request; readonly response: Response } | undefined;

  constructor(callId: string, localTag: string, event: string) {
    this.callId = callId;
    this.localTag = localTag;
    this.event = event;
  }

  /** Undefined until the first NOTIFY. */
  get dialog(): Dialog | undefined {
    return this.#dialog;
  }

  /** The notifier holds it, as far as we were told. */
  get established(): boolean {
    return this.state === "pending" || this.state === "active";
  }

  /** A SUBSCRIBE with this number leaves. */
  sent(cseq: number): void {
    this.#cseq = cseq;
    this.#dialog?.usedCSeq(cseq);
    if (this.state === "init") this.#enter("notify_wait");
  }

  /** A 2xx to SUBSCRIBE. */
  accepted(request: Request, response: Response): void {
    if (this.#dialog === undefined) this.#acceptance = { request, response };
    else this.#dialog.refreshTarget(response.headers);
  }

  /**
   * A NOTIFY with our Call-ID and tag. @returns its state, or the status to refuse it with: 481 if it is of another
   * subscription or another fork, 500 if a later one has come before, 400 if it says nothing of its state.
   */
  notified(request: Request): SubscriptionState | number {
    const { headers } = request;
    if (!this.#names(headers.get("event") ?? "")) return 481;
    const state = subscriptionStateOf(headers);
    if (state === undefined) return 400;
    if (this.#dialog !== undefined && this.#dialog.remoteTag !== (fromOf(headers)?.tag ?? "")) {
      return 481;
    }
    const dialog = this.#dialog ?? this.#dialogMadeBy(request);
    if (dialog === undefined) return 400;
    if (!dialog.takeTurn(request)) return 500;
    dialog.refreshTarget(headers);
    this.#dialog = dialog;
    this.#enter(state.phase);
    return state;
  }

  #enter(next: SubscriptionPhase): void {
    this.state = next;
  }

  #names(event: string): boolean {
    const semicolon = event.indexOf(";");
    const name = semicolon < 0 ? event : event.slice(0, semicolon);
    const id = semicolon < 0 ? undefined : paramOf(event.slice(semicolon), "id");
    return name.trim().toLowerCase() === this.event && id === undefined;
  }

  /**
   * The acceptance of the same notifier tells the whole route; without one the NOTIFY does (§4.4.1), if the
   * proxies on its way have recorded themselves.
   */
  #dialogMadeBy(request: Request): Dialog | undefined {
    const accepted = this.#acceptance;
    this.#acceptance = undefined;
    const tag = fromOf(request.headers)?.tag;
    const same = accepted !== undefined && toOf(accepted.response.headers)?.tag === tag;
    const dialog = same
      ? dialogOfClient(accepted.request, accepted.response)
      : dialogOfServer(request, this.localTag);
    dialog?.usedCSeq(this.#cseq);
    return dialog;
  }
}
