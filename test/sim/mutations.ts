/**
 * Single rules of the engine, broken on purpose: one exact text of an emitted file, replaced once. The swarm must catch
 * each within the seed given.
 */

export interface Mutation {
  /** What is no longer true of the engine. */
  readonly breaks: string;
  /** Below `src/core`, emitted. */
  readonly file: string;
  readonly find: string;
  readonly put: string;
  /** The invariant that notices, and a seed at which it does. */
  readonly caughtBy: string;
  readonly seed: number;
}

const FAILOVER = "redundancy/failover.js";
const ATTEMPT = "redundancy/attempt.js";
const FAILBACK = "redundancy/failback.js";
const REGISTRATION = "phone/registration.js";
const SUCCESSIVE = "phone/successive-registration.js";
const CONCURRENT = "phone/concurrent-registration.js";

/** Its parts in their order. */
export function mutation(
  breaks: string,
  file: string,
  find: string,
  put: string,
  caughtBy: string,
  seed: number,
): Mutation {
  return { breaks, file, find, put, caughtBy, seed };
}

export const MUTATIONS: readonly Mutation[] = [
  mutation(
    "an INVITE that was heard of goes nowhere else",
    FAILOVER,
    'if (this.#user.method !== "INVITE") {',
    "if (true) {",
    "I7",
    4,
  ),
  mutation(
    "Retry-After is obeyed",
    FAILOVER,
    "if (wait !== undefined)\n            this.#host.health.hush(now, target, wait.seconds);",
    "",
    "I4",
    14,
  ),
  mutation(
    "who wants to be left alone is asked again when his time is over",
    "redundancy/server-health.js",
    "const until = now + Math.min(retryAfterSeconds * 1000, QUIET_LIMIT_MS);",
    "const until = now + 1e9;",
    "I1",
    18,
  ),
  mutation(
    "a nonce goes back only to who gave it",
    "redundancy/credentials.js",
    "return sameTarget(one.target, other.target);",
    "return true;",
    "I7",
    1,
  ),
  mutation(
    "an INVITE outlives its flow of datagrams",
    ATTEMPT,
    "get listensOn() {\n        return true;",
    "get listensOn() {\n        return false;",
    "I7",
    101066,
  ),
  mutation(
    "an INVITE that was merged goes nowhere else",
    FAILOVER,
    "this.#merged = true;",
    "",
    "I7",
    108478,
  ),
  mutation(
    "the end of a call reaches a server that wants to be left alone",
    "redundancy/verdict.js",
    'return method === "BYE" || method === "PRACK";',
    "return false;",
    "I10",
    41421,
  ),
  mutation(
    "each REGISTER has the next number",
    REGISTRATION,
    "this.#upkeep.cseq + 1, this)",
    "this.#upkeep.cseq, this)",
    "I8",
    1,
  ),
  mutation(
    "each registration has a Call-ID of its own",
    "phone/registration-upkeep.js",
    "this.callId = inOnePiece(newCallId(host.entropy));",
    'this.callId = "always-the-same";',
    "I3",
    77,
  ),
  mutation(
    "a binding is renewed before it runs out",
    "phone/registration-answer.js",
    "return Math.max(soonest, (granted - lead) * 1000 * (1 - jitter));",
    "return granted * 1000 + 3000;",
    "I1",
    1,
  ),
  mutation(
    "a binding is not renewed all the time",
    "phone/registration-answer.js",
    "return Math.max(soonest, (granted - lead) * 1000 * (1 - jitter));",
    "return 100;",
    "I4",
    11,
  ),
  mutation(
    "a stopped phone takes its bindings with it",
    REGISTRATION,
    "#removeFrom(now, place, other = this.place) {",
    "#removeFrom(now, place, other = this.place) {\n        place = undefined;",
    "I8",
    4,
  ),
  mutation(
    "in successive registration the binding that was left is given up",
    SUCCESSIVE,
    "if (before !== undefined && before !== registration)\n            this.#leave(now, before);",
    "",
    "I5",
    2,
  ),
  mutation(
    "a server that could not be renewed at is followed by the next",
    SUCCESSIVE,
    "if (registration === this.#at)\n            this.#lost(registration);",
    "if (registration === this.#at)\n            return;",
    "I1",
    2,
  ),
  mutation(
    "a failed registration is tried again",
    CONCURRENT,
    "registration.retryAt(now, Math.max(wait, retryAfterMs));",
    "",
    "I3",
    2,
  ),
  mutation(
    "there is a pause before everything is tried anew",
    "redundancy/backoff.js",
    "export function backoffMs(backoff, failures, entropy) {",
    "export function backoffMs(backoff, failures, entropy) {\n    return 1;",
    "I4",
    14,
  ),
  mutation(
    "the wait for the return from a secondary target ends",
    FAILBACK,
    "this.#host.timers.set(this.#timer, Math.max(begin, now + SHORTEST_BACKOFF_MS));",
    "",
    "I3",
    1,
  ),
  mutation(
    "a target that was left is followed by the next",
    FAILOVER,
    "this.#host.timers.silence(this.#hedge);\n        this.#next(now);\n    }",
    "this.#host.timers.silence(this.#hedge);\n    }",
    "I1",
    2,
  ),
  mutation("a 200 makes a binding", REGISTRATION, "this.place = attempt;", "", "I1", 1),
  mutation(
    "a removal says Expires 0",
    REGISTRATION,
    "removes ? 0 : upkeep.expiresSeconds",
    "upkeep.expiresSeconds",
    "I8",
    1,
  ),
  mutation(
    "a challenge is met with credentials",
    ATTEMPT,
    "if (response.status !== 401 && response.status !== 407)\n            return false;",
    "return false;",
    "I1",
    1,
  ),
  mutation(
    "each request of a dialog has the next number",
    "dialog/dialog.js",
    "this.#localCSeq += 1;",
    "",
    "I7",
    4,
  ),
  mutation(
    "hanging up tells the other end",
    "phone/call-leg.js",
    "return this.#leg.compose(this, cseq, attempt.flow);",
    "return { ...this.#leg.compose(this, cseq, attempt.flow), method: 'INFO' };",
    "I10",
    1,
  ),
  mutation(
    "a server that has registered us again is in charge again",
    CONCURRENT,
    "this.#away?.delete(registration);",
    "",
    "I3",
    2,
  ),
  mutation(
    "after a round in vain everything is tried again (C21)",
    SUCCESSIVE,
    "this.#host.timers.set(round.retry, now + Math.max(wait, round.retryAfterMs));",
    "",
    "I1",
    11,
  ),
  mutation(
    "below the first server that is probed",
    SUCCESSIVE,
    "timers.set(this.#return.timer, now + Math.max(wait, SHORTEST_BACKOFF_MS));",
    "",
    "I3",
    8,
  ),
  mutation(
    "a back-off ends",
    "redundancy/backoff.js",
    "const upper = Math.min(backoff.maxMs, backoff.baseMs * 2 ** doublings);",
    "const upper = 1e9;",
    "I3",
    2,
  ),
  mutation(
    "a resend waits for its turn",
    "transaction/non-invite-client.js",
    "this.#spacing = this.#nextSpacing(now);",
    "this.#spacing = 20;",
    "I4",
    11,
  ),
  mutation(
    "a registration that is due is renewed",
    REGISTRATION,
    "this.#upkeep.watch.renewed();\n            this.doubted(now);",
    "",
    "I1",
    1,
  ),
  mutation(
    "the way back to the primary waits for an idle phone",
    FAILBACK,
    "get #mayReturn() {\n        return",
    "get #mayReturn() {\n        return true ||",
    "I3",
    735,
  ),
  mutation(
    "who rings late is told to stop",
    ATTEMPT,
    "if (this.#cancelWanted)\n                this.#sendCancel(now);",
    "",
    "I7",
    1,
  ),
  mutation(
    "in successive registration the server that has accepted is the one in charge",
    SUCCESSIVE,
    "this.#at = registration;",
    "",
    "I1",
    16,
  ),
  mutation(
    "the name of a phone is good as long as its binding stands",
    "server/target-set.js",
    "? live : live.filter((binding) => gruu.fits(binding))",
    "? live : live.filter((b) => gruu.fits(b) && b.expires > context.epochSeconds() + 40)",
    "I10",
    128,
  ),
  mutation(
    "every account of a phone registers",
    "phone/phone.js",
    "for (const account of this.accounts)\n            this.#startLater(now, account);",
    "for (const account of this.accounts.slice(0, 1))\n            this.#startLater(now, account);",
    "I1",
    3_221_225_473,
  ),
];
