/** Retry counts that the transaction's own end makes meaningless (RFC 3261 §17.1, Timers A, B, E and F). */
import type { RedundancyPolicy, ServerPolicy } from "../redundancy/policy.ts";
import type { LintPad } from "./lint-pad.ts";

/** Only counts that a file set are judged: the defaults fit the default timers. */
export function lintRetries(pad: LintPad, policy: RedundancyPolicy): void {
  for (const list of ["servers", "proxies"] as const) {
    policy[list].forEach((server, at) => {
      for (const field of ["registerRetries", "inviteRetries"] as const) {
        lintCount(pad, policy, server, field, `${list}.${at + 1}.${field}`);
      }
    });
  }
}

function lintCount(
  pad: LintPad,
  policy: RedundancyPolicy,
  server: ServerPolicy,
  field: "registerRetries" | "inviteRetries",
  path: string,
): void {
  const end = 64 * policy.t1Ms;
  const most = retriesBefore(end, policy, server, field === "inviteRetries");
  const given = server[field];
  const origin = pad.origin(path);
  if (given <= most || origin === undefined) return;
  const wrong = `only ${most} of ${given} resends fit into the ${end / 1000} s after which a request has failed`;
  pad.warnAt(origin, wrong, `${pad.write(path, Math.min(3, most))}`);
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
