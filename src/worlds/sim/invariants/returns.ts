/**
 * I3, second part: nobody returns by time before the time has come, nor to a place that has not proved itself as the
 * policy wants (hysteresis, redundancy.md §6): so many good probes in a row over so long.
 */
import type { Instant } from "../../../core/machine.ts";
import type { RedundancyPolicy, ServerPolicy } from "../../../core/redundancy/policy.ts";
import { CONNECT_TIMEOUT_MS } from "../simulated-stream.ts";
import type { SimulatedEvent } from "../simulation.ts";
import type { SimulatedMessage } from "../surroundings.ts";
import { branchOf, cseqOf, longestTrialMs, placeOf } from "./glance.ts";
import { type Complain, type Invariant, LOOK_MS, type Watched } from "./invariant.ts";

/** However little is left of a TTL. */
const SHORTEST_AWAY_MS = 10_000;
/** A place was silent, or is taken for dead, or was. */
const LEAVING: ReadonlySet<string> = new Set([
  "attempt.failed",
  "request.failed-over",
  "request.hedged",
  "server.suspected",
  "server.restored",
]);

/** One server of an account. */
interface Stay {
  /** When its requests were last answered by its first place. */
  homeAt: Instant;
  /** When probes were sent that were answered, and by which place. */
  readonly proofs: { readonly at: Instant; readonly place: string }[];
  /** Good probes in a row, as the account tells, and when it told the last one. */
  probes: number;
  probedAt: Instant;
}

export class Returns implements Invariant {
  readonly #watched: readonly Watched[];
  readonly #complain: Complain;
  readonly #stays = new Map<string, Stay>();
  /**
   * When something else than time last took requests from a place or kept them from it, by node and place; and when
   * a node began a call last. */
  readonly #leftAt = new Map<string, Instant>();
  /** The server that the requests of a node go to first, 1-based. */
  readonly #serverOf = new Map<string, number>();
  /** When probes were sent that are not answered, by branch. */
  readonly #askedAt = new Map<string, Instant>();
  #nextLook: Instant = 0;

  constructor(watched: readonly Watched[], complain: Complain) {
    this.#watched = watched;
    this.#complain = complain;
  }

  died(now: Instant, node: string): void {
    this.#serverOf.delete(node);
    for (const key of this.#stays.keys()) if (key.startsWith(`${node} `)) this.#stays.delete(key);
    for (const { account } of this.#watched.filter((one) => one.node === node)) {
      for (const { index } of account.servers.routes) this.#stay(node, index).homeAt = now;
    }
  }

  check(now: Instant): void {
    if (now < this.#nextLook) return;
    this.#nextLook = now + LOOK_MS;
    for (const { node, account } of this.#watched) {
      for (const { index, inUse } of account.servers.routes) {
        if (inUse === 0) this.#stay(node, index).homeAt = now;
      }
    }
  }

  message(message: SimulatedMessage, text: string): void {
    const { at, node, direction } = message;
    if (direction === "out" && text.startsWith("OPTIONS ")) {
      const branch = branchOf(text);
      this.#askedAt.set(branch, this.#askedAt.get(branch) ?? at);
    }
    if (direction !== "in" || !text.startsWith("SIP/2.0 ")) return;
    if (text.startsWith("SIP/2.0 503 ")) this.#leftAt.set(`${node} ${placeOf(message)}`, at);
    const askedAt = this.#askedAt.get(branchOf(text));
    if (askedAt === undefined || !cseqOf(text).endsWith(" OPTIONS")) return;
    this.#askedAt.delete(branchOf(text));
    const place = placeOf(message);
    for (const one of this.#watched) {
      if (one.node !== node) continue;
      for (const { index } of one.account.servers.routes) {
        this.#stay(node, index).proofs.push({ at: askedAt, place });
      }
    }
  }

  event(told: SimulatedEvent): void {
    const { at, node, event, server, good, from, to, mode } = told;
    const one = this.#watched.find((other) => other.node === node);
    if (one === undefined) return;
    if (event === "server.probed") {
      const stay = this.#stay(node, Number(server));
      stay.probes = good === true ? stay.probes + 1 : 0;
      stay.probedAt = at;
    } else if (event === "server.failed-back") {
      if (from !== to) {
        this.#serverOf.set(node, Number(to));
        this.#backAtServer(one, told);
      } else if (mode === "duration" || mode === "DNSTTL") this.#backAtPlace(one, told);
    } else if (event === "server.fell-back") {
      this.#serverOf.set(node, Number(to));
    } else if (event === "call.started") {
      this.#leftAt.set(node, at);
    } else if (LEAVING.has(event)) {
      this.#leftAt.set(`${node} ${told.target ?? from}`, at);
    }
  }

  /** The REGISTER that ends a proof is told as a probe, too. */
  #backAtServer({ node, account }: Watched, { at, to, mode }: SimulatedEvent): void {
    const stay = this.#stay(node, Number(to));
    const wanted = probesOf(account.policy);
    const { probes } = stay;
    // Whoever came there by another way than a probe had none that was good in this very step.
    const probed = mode === "probe" && stay.probedAt === at && probes > 0;
    stay.probes = 0;
    if (!probed || wanted === 0 || probes > wanted) return;
    const what = `back at server ${to} after ${probes - 1} of ${wanted} good probes`;
    this.#complain({ invariant: "I3", at, node, what });
  }

  #backAtPlace({ node, account }: Watched, told: SimulatedEvent): void {
    const { at, to, mode, fromTarget, toTarget } = told;
    const { policy, servers } = account;
    const stay = this.#stay(node, Number(to));
    const begun = at - longestTrialMs(policy);
    const leftAt = this.#leftAt.get(`${node} ${fromTarget}`) ?? begun;
    // An INVITE may have gone round, and be registered for there before that is told.
    const calledAt = this.#leftAt.get(node) ?? begun;
    if (Math.max(leftAt, calledAt) > begun || policy.followChallenger || stay.homeAt > begun)
      return;
    // A probe from a lower server begins at the top.
    if ((this.#serverOf.get(node) ?? 1) !== to && policy.registration === "successive") return;
    const away = at - stay.homeAt;
    const hop = servers.route(Number(to)).places[0]?.hop;
    if (hop === undefined) return;
    const wait = waitMs(hop, String(mode)) * (1 - policy.returnSpread);
    if (away < wait) {
      const what = `home by ${mode} after ${Math.round(away)} ms, not ${Math.round(wait)}`;
      this.#complain({ invariant: "I3", at, node, what });
    }
    const wanted = probesOf(policy);
    const proofs = stay.proofs.filter((one) => one.at > stay.homeAt && one.place === toTarget);
    // What began the span may have had to wait for a connection.
    const span = (proofs.at(-1)?.at ?? 0) - (proofs[0]?.at ?? 0);
    if (
      proofs.length >= wanted &&
      (wanted === 0 || span >= policy.goodProbesMs - CONNECT_TIMEOUT_MS)
    )
      return;
    const what = `home by ${mode} after ${proofs.length} of ${wanted} good probes over ${Math.round(span)} ms`;
    this.#complain({ invariant: "I3", at, node, what });
  }

  #stay(node: string, server: number): Stay {
    const key = `${node} ${server}`;
    const known = this.#stays.get(key) ?? newStay();
    this.#stays.set(key, known);
    return known;
  }
}

function newStay(): Stay {
  const never = Number.NEGATIVE_INFINITY;
  return { homeAt: never, proofs: [], probes: 0, probedAt: never };
}

/** Both ends of a span are probed. */
function probesOf({ goodProbes, goodProbesMs }: RedundancyPolicy): number {
  if (goodProbes <= 1 && goodProbesMs === 0) return 0;
  return goodProbesMs > 0 ? Math.max(2, goodProbes) : goodProbes;
}

function waitMs({ failbackSeconds }: ServerPolicy, mode: string): number {
  return mode === "duration" ? failbackSeconds * 1000 : SHORTEST_AWAY_MS;
}
