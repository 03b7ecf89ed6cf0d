/** Retry counts that the transaction's own end makes meaningless (RFC 3261 §17.1, Timers A, B, E and F). */
import type { RedundancyPolicy, ServerPolicy } from "../redundancy/policy.ts";
import type { LintPad } from "./lint-pad.ts";
import { isLiteral } from "./value-form.ts";

/** RFC 3261's own patience with a silent server, and twice that for the last one (C12, C14). */
const SLOW_MS = 32_000;
const SLOW_END_MS = 64_000;

/** Only counts and times that a file set are judged: the defaults fit one another. */
export function lintRetries(pad: LintPad, policy: RedundancyPolicy): void {
  for (const list of ["servers", "proxies"] as const) {
    policy[list].forEach((server, at) => {
      const path = `${list}.${at + 1}`;
      const beyond = countsOf(pad, path).filter((count) =>
        lintCount(pad, policy, server, path, count),
      );
      const alone = policy[list].length === 1 && isLiteral(server.address);
      if (beyond.length === 0 && !alone) lintWait(pad, policy, server, path);
    });
  }
}

/** A count, and the field whose line decided it. */
interface Count {
  readonly of: "registerRetries" | "inviteRetries";
  readonly setAs: "registerRetries" | "inviteRetries";
}

/** Where one line decides both counts, it is judged once: by INVITE, whose waits double without end (Timer A). */
function countsOf(pad: LintPad, path: string): readonly Count[] {
  const [register, invite] = [`${path}.registerRetries`, `${path}.inviteRetries`].map((field) =>
    pad.origin(field),
  );
  if (register === invite) return [{ of: "inviteRetries", setAs: "registerRetries" }];
  return [
    { of: "registerRetries", setAs: "registerRetries" },
    { of: "inviteRetries", setAs: "inviteRetries" },
  ];
}

/** The worst of both kinds of request, told where it comes from. */
function lintWait(
  pad: LintPad,
  policy: RedundancyPolicy,
  server: ServerPolicy,
  path: string,
): void {
  const end = 64 * policy.t1Ms;
  const waits = (["registerRetries", "inviteRetries"] as const).map((field) => ({
    field,
    ms: Math.min(end, waitMs(policy, server, server[field], field === "inviteRetries")),
  }));
  const worst = waits.reduce((one, other) => (other.ms > one.ms ? other : one));
  if (worst.ms <= SLOW_MS && end <= SLOW_END_MS) return;
  const fields = ["t1Ms", `${path}.${worst.field}`];
  if (!fields.some((field) => pad.origin(field))) return;
  const wrong = `a silent server is left after ${worst.ms / 1000} s, and the last one after ${end / 1000} s`;
  pad.warn(fields, "slow-failover", wrong, pad.write("t1Ms", 500) ?? "write less");
}

/** From the first send until `retries` resends are spent, and waited for. */
function waitMs(
  policy: RedundancyPolicy,
  { retryIntervalMs }: ServerPolicy,
  retries: number,
  invite: boolean,
): number {
  if (retryIntervalMs > 0) return retryIntervalMs * (retries + 1);
  let wait = policy.t1Ms;
  let sum = wait;
  for (let resend = 0; resend < retries; resend++) {
    wait = invite ? wait * 2 : Math.min(policy.t2Ms, wait * 2);
    sum += wait;
  }
  return sum;
}

function lintCount(
  pad: LintPad,
  policy: RedundancyPolicy,
  server: ServerPolicy,
  path: string,
  { of, setAs }: Count,
): boolean {
  const end = 64 * policy.t1Ms;
  const most = retriesBefore(end, policy, server, of === "inviteRetries");
  const given = server[of];
  const origin = pad.origin(`${path}.${setAs}`);
  if (given <= most || origin === undefined) return false;
  const wrong = `only ${most} of ${given} resends fit into the ${end / 1000} s after which a request has failed`;
  const [field, value] = most > 0 ? [setAs, Math.min(3, most)] : ["retryIntervalMs", 0];
  const remedy = pad.write(`${path}.${field}`, value);
  // A proxy that has no key for it took it from a server, of which it is told.
  if (remedy !== undefined) pad.warnAt(origin, "retries-beyond-end", wrong, remedy);
  return true;
}

/** How many resends are sent before `end`. */
function retriesBefore(
  end: number,
  policy: RedundancyPolicy,
  server: ServerPolicy,
  invite: boolean,
): number {
  // Timer A doubles without end, Timer E up to T2; a fixed spacing neither.
  let wait = server.retryIntervalMs || policy.t1Ms;
  let sentAt = wait;
  let retries = 0;
  while (sentAt < end && retries < 20) {
    retries++;
    if (server.retryIntervalMs === 0) wait = invite ? wait * 2 : Math.min(policy.t2Ms, wait * 2);
    sentAt += wait;
  }
  return retries;
}
