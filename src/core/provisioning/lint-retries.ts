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
      const beyond = countsOf(pad, path).filter((field) =>
        lintCount(pad, policy, server, field, `${path}.${field}`),
      );
      const alone = policy[list].length === 1 && isLiteral(server.address);
      if (beyond.length === 0 && !alone) lintWait(pad, policy, server, path);
    });
  }
}

/** Where one line decides both counts, it is judged once. */
function countsOf(pad: LintPad, path: string): readonly ("registerRetries" | "inviteRetries")[] {
  const [register, invite] = [`${path}.registerRetries`, `${path}.inviteRetries`].map((field) =>
    pad.origin(field),
  );
  return register === invite ? ["registerRetries"] : ["registerRetries", "inviteRetries"];
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
  field: "registerRetries" | "inviteRetries",
  path: string,
): boolean {
  const end = 64 * policy.t1Ms;
  const most = retriesBefore(end, policy, server, field === "inviteRetries");
  const given = server[field];
  const origin = pad.origin(path);
  if (given <= most || origin === undefined) return false;
  const wrong = `only ${most} of ${given} resends fit into the ${end / 1000} s after which a request has failed`;
  const spacing = path.replace(field, "retryIntervalMs");
  const remedy = most > 0 ? pad.write(path, Math.min(3, most)) : pad.write(spacing, 0);
  pad.warnAt(origin, "retries-beyond-end", wrong, `${remedy}`);
  return true;
}

/** How many resends are spent, and waited for, before `end`. */
function retriesBefore(
  end: number,
  policy: RedundancyPolicy,
  server: ServerPolicy,
  invite: boolean,
): number {
  // Timer A doubles without end, Timer E up to T2; a fixed spacing neither.
  let wait = server.retryIntervalMs || policy.t1Ms;
  let elapsed = wait;
  let retries = 0;
  while (elapsed < end && retries < 20) {
    if (server.retryIntervalMs === 0) wait = invite ? wait * 2 : Math.min(policy.t2Ms, wait * 2);
    elapsed += wait;
    if (elapsed <= end) retries++;
  }
  return retries;
}
