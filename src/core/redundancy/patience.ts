/**
 * How long silence is borne before a target is left: the resends of the policy, each followed by
 * its wait (vendors' retry counts over the spacing of RFC 3261 §17.1.1.2 and §17.1.2.2).
 */
import type { TransportName } from "../machine.ts";
import type { RedundancyPolicy, ServerPolicy, ServerTransport } from "./policy.ts";

/** RFC 3261 Timer B and Timer F, milliseconds. */
export function fullPatienceMs(policy: RedundancyPolicy): number {
  return 64 * policy.t1Ms;
}

/**
 * Milliseconds from the first send to giving up on a target that is not the last one; over a connection the resends are
 * not sent, and their time is waited all the same.
 */
export function patienceMs(
  policy: RedundancyPolicy,
  server: ServerPolicy,
  method: string,
  transport: TransportName | ServerTransport = server.transport,
): number {
  if (!policy.fastStreamFailover && transport !== "udp") return fullPatienceMs(policy);
  const invite = method === "INVITE";
  const retries = invite ? server.inviteRetries : server.registerRetries;
  let total = 0;
  for (let send = 0; send <= retries; send += 1) {
    total += waitAfterSendMs(policy, server, invite, send);
  }
  return Math.min(total, fullPatienceMs(policy));
}

/** What ends that silence: the resends, or the end of the transaction (64·T1), which no policy outlasts. */
export function patienceEndsBy(
  policy: RedundancyPolicy,
  server: ServerPolicy,
  method: string,
  transport: TransportName,
): "t1Ms" | "inviteRetries" | "registerRetries" {
  if (patienceMs(policy, server, method, transport) === fullPatienceMs(policy)) return "t1Ms";
  return method === "INVITE" ? "inviteRetries" : "registerRetries";
}

function waitAfterSendMs(
  policy: RedundancyPolicy,
  server: ServerPolicy,
  invite: boolean,
  send: number,
): number {
  if (server.retryIntervalMs > 0) return server.retryIntervalMs;
  const doubled = policy.t1Ms * 2 ** send;
  return invite ? doubled : Math.min(doubled, policy.t2Ms);
}
