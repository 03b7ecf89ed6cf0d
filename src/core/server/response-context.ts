/**
 * One request that was forwarded, and what becomes of its branches: RFC 3261 §16.7 to §16.10. Each callee is tried
 * over one way after another (RFC 5626 §7, RFC 3263 §4.3), all callees at once; one final response goes upstream.
 */
import type { Instant } from "../machine.ts";
import type { Response } from "../message/message.ts";
import { mayTell, withoutReport } from "../message/overload.ts";
import { responseTo } from "../message/print.ts";
import { reasonOf } from "../message/status.ts";
import { removeTopVia, replaceTopParams, topVia } from "../message/via.ts";
import { Timer, type TimerOwner } from "../timers.ts";
import type { ServerTransaction } from "../transaction/user.ts";
import { Branch, type BranchHost, type Callee } from "./branch.ts";
import { isDiverted } from "./voicemail.ts";

export interface ContextHost extends BranchHost {
  newTag(): string;
  /** A response has been sent upstream: the first provisional of its status, or the final one. */
  passed(now: Instant, context: ResponseContext, response: Response): void;
  /** All others have let the call go, and a box is called. */
  diverted(context: ResponseContext, callee: Callee): void;
  /** No branch runs any more. */
  finished(context: ResponseContext): void;
}

/** A callee and the ways not tried yet. */
class Line {
  readonly callee: Callee;
  next = 0;
  /** He has had his time: others are called now. */
  passed = false;

  constructor(callee: Callee) {
    this.callee = callee;
  }

  get exhausted(): boolean {
    return this.next >= this.callee.ways.length;
  }
}

/** How long a phone of a higher q rings before the others are called, unless they say so, and may be silent. */
const RING_MS = 20_000;
const SILENCE_MS = 4_000;

/** By which a phone knows that nobody has missed a call (RFC 3326 §3.1). */
const COMPLETED_ELSEWHERE: readonly string[] = ['SIP;cause=200;text="Call completed elsewhere"'];

export class ResponseContext implements TimerOwner {
  readonly transaction: ServerTransaction;
  readonly invite: boolean;
  readonly #host: ContextHost;
  readonly #branches = new Map<Branch, Line>();
  readonly #challenges: [name: string, value: string][] = [];
  #state: "waiting" | "forking" | "answered" | "refused" = "waiting";
  #best: Response | undefined;
  #bestScore = Number.POSITIVE_INFINITY;
  /** Something other than silence was heard from a callee (RFC 4320 §4.2). */
  #heard = false;
  /** A phone knows the call by another server, and may be ringing (482). */
  #merged = false;
  #cancelled = false;
  #leaving = false;
  #concluded = false;
  #lastProvisional = 0;
  /** Those to be called when all before them have come to nothing, each row together. */
  #rows: Callee[][] = [];
  #rowsBegun = 0;
  /** One of them has had its time. */
  #rowsPassed = false;
  #rowBegunAt: Instant = 0;
  /** Rings when the row has had its time; undefined where one row is all. */
  #turn: Timer | undefined;
  /** Somebody was asked for by his flow: upstream may know another one of the phone. */
  #byFlow = false;

  constructor(host: ContextHost, transaction: ServerTransaction) {
    this.#host = host;
    this.transaction = transaction;
    this.invite = transaction.request.method === "INVITE";
  }

  get cancelled(): boolean {
    return this.#cancelled;
  }

  get outcome(): number | undefined {
    return this.#best?.status ?? (this.#rowsPassed ? 408 : undefined);
  }

  /** Calls every callee, those of a higher q before the others (§16.6). */
  fork(now: Instant, callees: readonly Callee[]): void {
    if (this.#state !== "waiting") return;
    this.#state = "forking";
    this.#rows = rowsOf(callees);
    this.#nextRow(now);
  }

  /** The row has had its time: whoever rings in it is cancelled, and the next one is called. */
  rang(now: Instant): void {
    for (const line of this.#branches.values()) line.passed = true;
    this.#rowsPassed = true;
    this.#cancelBranches(now);
    if (this.#branches.size > 0) this.#over(now);
  }

  /** The answer is known without asking anybody. */
  refuse(now: Instant, response: Response): void {
    if (this.#state !== "waiting") return;
    this.#state = "refused";
    this.#pass(now, response);
    this.#host.finished(this);
  }

  /** The caller has given up (§16.10), or cannot be reached any more. @param why Reasons that he gives (RFC 3326). */
  cancel(now: Instant, why: readonly string[] = []): void {
    if (this.#cancelled || !this.invite) return;
    this.#cancelled = true;
    if (this.#state === "waiting") this.refuse(now, this.#made(487));
    else this.#cancelBranches(now, why);
  }

  /** This server is about to be gone: who rings is cancelled, and the caller told so, that he asks another one. */
  leave(now: Instant): void {
    if (this.#state !== "forking" || !this.invite) return;
    this.#leaving = true;
    this.#rows = [];
    this.#cancelBranches(now);
  }

  /** It is gone now. */
  abandon(now: Instant): void {
    if (this.#state === "waiting") this.refuse(now, this.#made(503));
    if (this.#state !== "forking") return;
    this.#state = "refused";
    this.#pass(now, this.#made(503));
    this.#cancelBranches(now);
  }

  provisional(now: Instant, response: Response): void {
    this.#heard = true;
    if (this.#turn?.pending === true) {
      const { afterMs = RING_MS } = this.#rows[0]?.[0] ?? {};
      this.#host.timers.set(this.#turn, this.#rowBegunAt + afterMs);
    }
    if (!this.invite || response.status === 100 || this.#state !== "forking") return;
    this.#uncover(response);
    this.transaction.respond(now, response);
    if (response.status === this.#lastProvisional) return;
    this.#lastProvisional = response.status;
    this.#host.passed(now, this, response);
  }

  /** A 2xx; to INVITE it passes each time, from whichever branch (§16.7(5), RFC 6026 §8.9). */
  accepted(now: Instant, response: Response): void {
    const first = this.#state === "forking";
    if (!first && !this.invite) return;
    this.#uncover(response);
    if (!first) {
      this.transaction.respond(now, response);
      return;
    }
    this.#state = "answered";
    this.#rows = [];
    this.#pass(now, response);
    this.#cancelBranches(now, COMPLETED_ELSEWHERE);
  }

  /** A branch is over; `response` is what it came to, undefined after silence. */
  ended(now: Instant, branch: Branch, response: Response | undefined): void {
    const line = this.#branches.get(branch);
    if (line === undefined) return;
    if (response !== undefined) this.#heard = true;
    const elsewhere =
      this.#state === "forking" &&
      !this.#cancelled &&
      !line.passed &&
      !branch.cancelled &&
      isPassedOver(response) &&
      !line.exhausted;
    const next = elsewhere ? this.#nextBranch(line) : undefined;
    this.#branches.delete(branch);
    if (next !== undefined) next.start(now);
    else if (response === undefined) this.#consider(this.#made(this.#silenceStatus(branch, line)));
    else if (line.passed && response.status === 487) this.#consider(this.#made(408));
    else if (response.status >= 300) {
      this.#uncover(response);
      this.#consider(response);
      if (response.status >= 600) this.#cancelBranches(now, [reasonFor(response)]);
    }
    this.#over(now);
  }

  /** A branch has stayed silent for so long that the next way is tried beside it. */
  overdue(now: Instant, branch: Branch): void {
    const line = this.#branches.get(branch);
    if (line === undefined || this.#state !== "forking" || this.#cancelled || line.passed) return;
    if (branch.cancelled) return;
    this.#nextBranch(line)?.start(now);
  }

  /** Takes our Via away (§16.7(3)). What the next says of overload is for this server to say, not for the callee. */
  #uncover({ headers }: Response): void {
    removeTopVia(headers);
    const via = topVia(headers);
    if (via === undefined || !mayTell(via.params)) return;
    const asked = topVia(this.transaction.request.headers);
    replaceTopParams(headers, via, asked?.params ?? withoutReport(via.params));
  }

  #silenceStatus(branch: Branch, { callee }: Line): number {
    if (this.#cancelled) return 487;
    this.#byFlow ||= callee.byFlow === true;
    if (branch.lost === undefined) return 408;
    return this.#byFlow ? 430 : branch.lost;
  }

  #nextRow(now: Instant): void {
    const row = this.#rows.shift() ?? [];
    this.#rowsBegun += 1;
    const begun = this.#rowsBegun;
    this.#rowBegunAt = now;
    const [first] = row;
    if (first?.divertedFrom !== undefined) this.#host.diverted(this, first);
    if (this.invite && this.#rows.length > 0) {
      this.#turn ??= new Timer("turn", this);
      this.#host.timers.set(this.#turn, now + SILENCE_MS);
    }
    const lines = row.map((callee) => new Line(callee));
    // Each is counted before the first can fail, so that one failure is not taken for the end of all.
    const started = lines.map((line) => this.#nextBranch(line));
    for (const branch of started) branch?.start(now);
    if (this.#rowsBegun === begun) this.#over(now);
  }

  /** If nobody is waited for any more, the next row is called; if there is none, the caller is told. */
  #over(now: Instant): void {
    for (const { passed } of this.#branches.values()) if (!passed) return;
    if (this.#turn !== undefined) this.#host.timers.silence(this.#turn);
    if (this.#state === "forking" && !this.#cancelled) this.#skipRows();
    else this.#rows = [];
    if (this.#rows.length > 0) this.#nextRow(now);
    else this.#conclude(now);
  }

  /** After a 6xx nobody else is called (§16.7(5)); a box speaks for him who has refused. */
  #skipRows(): void {
    const refused = this.#bestScore === 0;
    const diverts = !this.#merged && isDiverted(this.outcome);
    this.#rows = this.#rows.filter(([first]) =>
      first?.divertedFrom === undefined ? !refused : diverts,
    );
  }

  #nextBranch(line: Line): Branch | undefined {
    const way = line.callee.ways[line.next];
    if (way === undefined) return undefined;
    line.next += 1;
    const branch = new Branch(this.#host, this, line.callee, way, !line.exhausted);
    this.#branches.set(branch, line);
    return branch;
  }

  #cancelBranches(now: Instant, why: readonly string[] = []): void {
    for (const branch of [...this.#branches.keys()]) branch.cancel(now, why);
  }

  /** Keeps the better one (§16.7(6)), and the challenges of all (§16.7(7)). */
  #consider(response: Response): void {
    const { headers, status } = response;
    if (status === 401 || status === 407) {
      for (const name of ["www-authenticate", "proxy-authenticate"]) {
        for (const value of headers.all(name)) this.#challenges.push([name, value]);
      }
    }
    this.#merged ||= status === 482;
    const score = scoreOf(status);
    if (score >= this.#bestScore) return;
    this.#best = response;
    this.#bestScore = score;
  }

  #conclude(now: Instant): void {
    if (this.#concluded) return;
    this.#concluded = true;
    if (this.#turn !== undefined) this.#host.timers.silence(this.#turn);
    if (this.#state === "forking") {
      this.#state = "refused";
      // Nobody is told 408 about a non-INVITE: the client has given up by then (RFC 4320 §4.2).
      if (this.invite || this.#heard || this.#best?.status !== 408) this.#pass(now, this.#chosen());
    }
    this.#host.finished(this);
  }

  #chosen(): Response {
    const dropped = this.#best === undefined || isEndedByUs(this.#best);
    if (this.#leaving && !this.#cancelled && dropped) return this.#made(503);
    const best = this.#best ?? this.#made(this.#cancelled ? 487 : 480);
    const { status } = best;
    // Upstream a 503 would condemn this server together with the one behind it (§16.7(6), R52).
    if (status === 503) return this.#unavailable(best);
    // A lost flow is between proxies (RFC 5626 §11.1); to the caller it is a phone out of reach.
    if (status === 430 && !this.#byFlow) return this.#made(480);
    if (status === 401 || status === 407) {
      best.headers.remove("www-authenticate").remove("proxy-authenticate");
      for (const [name, value] of this.#challenges) best.headers.add(name, value);
    }
    return best;
  }

  /** 500, with the time at which it may be worth another try. */
  #unavailable({ headers }: Response): Response {
    const response = this.#made(500);
    const wait = headers.get("retry-after");
    if (wait !== undefined) response.headers.add("retry-after", wait);
    return response;
  }

  #made(status: number): Response {
    return responseTo(this.transaction.request, status, undefined, this.#host.newTag());
  }

  #pass(now: Instant, response: Response): void {
    this.transaction.respond(now, response);
    this.#host.passed(now, this, response);
  }
}

/** Why others are called no more, when one has refused for all (RFC 3326 §2). */
function reasonFor({ status }: Response): string {
  return `SIP;cause=${status};text="${reasonOf(status)}"`;
}

/** The most callees of one row: no more are called at a time. */
export function widest(callees: readonly Callee[]): number {
  return Math.max(...rowsOf(callees).map(({ length }) => length));
}

/** Rows of one q, the highest first. */
function rowsOf(callees: readonly Callee[]): Callee[][] {
  if (callees.every(({ q }) => q === undefined)) return [[...callees]];
  const rows = new Map<number, Callee[]>();
  for (const callee of callees) {
    const { q = 1 } = callee;
    const row = rows.get(q);
    if (row === undefined) rows.set(q, [callee]);
    else row.push(callee);
  }
  return [...rows].sort(([one], [other]) => other - one).map(([, row]) => row);
}

/** Answers that say something of the way and nothing of the callee. */
function isPassedOver(response: Response | undefined): boolean {
  return response === undefined || response.status === 430 || response.status === 503;
}

/** What becomes of a callee who is cancelled. */
function isEndedByUs({ status }: Response): boolean {
  return status === 487 || status === 408;
}

/** Lower is better: 6xx, then the lowest class, in it what tells the caller how to try again (§16.7(6)). */
function scoreOf(status: number): number {
  if (status >= 600) return 0;
  const score = Math.floor(status / 100) * 10;
  switch (status) {
    case 401:
    case 407:
    case 415:
    case 420:
    case 484:
      return score;
    case 408:
    case 430:
    case 481:
    case 482:
    case 503:
      return score + 2;
    default:
      return score + 1;
  }
}
