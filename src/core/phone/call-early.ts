/**
 * The early dialogs of an INVITE as its sender sees them (RFC 3261 §12.1.2, RFC 3262 §4, R61): one for each To tag,
 * reachable for requests of the peer's; a reliable provisional response is acknowledged with PRACK, once and in order.
 */
import { type Dialog, dialogKey, dialogOfClient } from "../dialog/dialog.ts";
import type { Instant } from "../machine.ts";
import { cseqOf } from "../message/cseq.ts";
import { decimalSeconds } from "../message/delta.ts";
import type { Request, Response } from "../message/message.ts";
import { toOf } from "../message/name-addr.ts";
import { responseTo } from "../message/print.ts";
import { lists } from "../message/token-list.ts";
import type { AttemptPlace, RequestUser } from "../redundancy/request.ts";
import type { Flow, ServerTransaction } from "../transaction/user.ts";
import { answerPlainly } from "./call-answers.ts";
import type { CallEnvironment, DialogUser, SentRequest } from "./call-environment.ts";
import { CallLeg, inviteToldBy } from "./call-leg.ts";
import { answerUpdate, type UpdateSetting } from "./call-update.ts";
import { MAX_EARLY_FORKS } from "./limits.ts";

interface Early {
  readonly leg: CallLeg;
  readonly key: string;
  /** Of the reliable response heard last; undefined: none was. */
  rseq: number | undefined;
}

export class EarlyDialogs {
  readonly #environment: CallEnvironment;
  /** Who answers the peer's requests. */
  readonly #user: DialogUser;
  #dialogs = new Map<string, Early>();
  /** Those that are over, for answers that come late. */
  #former: ReadonlyMap<string, Early> | undefined;
  /** On their way. */
  readonly #pracks = new Set<Prack>();

  constructor(environment: CallEnvironment, user: DialogUser) {
    this.#environment = environment;
    this.#user = user;
  }

  /** Takes up a 1xx above 100. @returns false if it is a repetition or out of order, and says nothing. */
  heard(now: Instant, response: Response, attempt: AttemptPlace): boolean {
    const early = this.#earlyOf(response, attempt);
    if (early === undefined || !lists(response.headers, "require", "100rel")) return true;
    const rseq = decimalSeconds(response.headers.get("rseq") ?? "");
    if (rseq === undefined) return true;
    if (early.rseq !== undefined && rseq !== early.rseq + 1) return false;
    early.rseq = rseq;
    early.leg.flow = attempt.flow;
    const invite = cseqOf(response.headers)?.number ?? 0;
    const prack = new Prack(early.leg, `${rseq} ${invite} INVITE`, () =>
      this.#pracks.delete(prack),
    );
    this.#pracks.add(prack);
    prack.start(now);
    return true;
  }

  /** The dialog in which a request of the peer's comes. */
  dialogFor(remoteTag: string): Dialog | undefined {
    return this.#dialogs.get(remoteTag)?.leg.dialog;
  }

  /**
   * A 2xx has made its dialog: the numbers used so far are carried on, the others are over. A PRACK goes nowhere else
   * any more: it is for nothing now (RFC 3262 §3), and would come behind the requests that follow.
   */
  confirm(dialog: Dialog): void {
    const early = this.#dialogs.get(dialog.remoteTag)?.leg.dialog;
    if (early !== undefined) dialog.carryOn(early);
    this.drop();
  }

  close(): void {
    for (const { key } of this.#dialogs.values()) this.#environment.register.leave(key);
    if (this.#dialogs.size === 0) return;
    this.#former = this.#dialogs;
    this.#dialogs = new Map();
  }

  /** What a dialog with the callee of this tag was before it was answered. */
  before(remoteTag: string): Dialog | undefined {
    const early = this.#dialogs.get(remoteTag) ?? this.#former?.get(remoteTag);
    return early?.leg.dialog;
  }

  /** Ends what is on its way, without a word. */
  drop(): void {
    for (const prack of this.#pracks) prack.drop();
    this.#pracks.clear();
    this.close();
  }

  #earlyOf(response: Response, attempt: AttemptPlace): Early | undefined {
    const tag = toOf(response.headers)?.tag;
    if (tag === undefined) return undefined;
    const known = this.#dialogs.get(tag);
    if (known !== undefined || this.#dialogs.size === MAX_EARLY_FORKS) return known;
    const dialog = dialogOfClient(inviteToldBy(response), response);
    if (dialog === undefined) return undefined;
    const leg = new CallLeg(this.#environment, dialog, attempt.flow);
    const key = dialogKey(dialog.callId, dialog.localTag, dialog.remoteTag);
    const early: Early = { leg, key, rseq: undefined };
    this.#dialogs.set(tag, early);
    this.#environment.register.join(key, this.#user);
    return early;
  }
}

/** Answers a request of the callee's before it has answered ours. */
export function answerEarly(
  now: Instant,
  transaction: ServerTransaction,
  flow: Flow,
  { environment, dialog, media }: Pick<UpdateSetting, "environment" | "dialog" | "media">,
): void {
  const { request } = transaction;
  switch (request.method) {
    case "INVITE":
      // Ours waits for its answer (RFC 3261 §14.2, R17).
      transaction.respond(now, responseTo(request, 491));
      break;
    case "UPDATE": {
      const setting = { environment, dialog, media, wish: "sendrecv", owesAnswer: false } as const;
      const response = answerUpdate(request, flow, setting);
      transaction.respond(now, response);
      if (response.body !== "") media.start(now);
      break;
    }
    case "BYE":
    case "PRACK":
      // A callee that has not answered has nothing to end with BYE (§15), and we sent nothing to acknowledge.
      transaction.respond(now, responseTo(request, 481));
      break;
    default:
      transaction.respond(
        now,
        answerPlainly(request, environment.callPolicy, (key) => media.keyPressed(now, key)),
      );
  }
}

/** That nobody answers it is for the sender of the response to notice. */
class Prack implements RequestUser {
  readonly method = "PRACK";
  readonly #leg: CallLeg;
  readonly #rack: string;
  readonly #ended: () => void;
  #sent: SentRequest | undefined;

  constructor(leg: CallLeg, rack: string, ended: () => void) {
    this.#leg = leg;
    this.#rack = rack;
    this.#ended = ended;
  }

  start(now: Instant): void {
    this.#sent = this.#leg.send(now, this);
  }

  drop(): void {
    this.#sent?.drop();
  }

  compose(attempt: AttemptPlace, cseq: number): Request {
    const request = this.#leg.compose(this, cseq, attempt.flow);
    request.headers.add("rack", this.#rack);
    return request;
  }

  final(): void {
    this.#ended();
  }

  failed(): void {
    this.#ended();
  }

  provisional(): void {}
  repeated(): void {}
  late(): void {}
}
