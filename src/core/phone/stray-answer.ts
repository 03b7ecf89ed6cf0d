/**
 * A 2xx to an INVITE whose transaction is long over: a server was frozen and has delivered the call after all. Whoever
 * answered is told at once that nobody is there (RFC 6026 §8.1 leaves it to the transaction user).
 */
import type { Instant } from "../machine.ts";
import type { Response } from "../message/message.ts";
import { parseVia, topVia } from "../message/via.ts";
import type { Flow } from "../transaction/user.ts";
import type { CallEnvironment } from "./call-environment.ts";
import { endAnswer, inviteToldBy } from "./call-leg.ts";
import { MAX_FORGOTTEN_NUMBERS } from "./limits.ts";

export function endStrayAnswer(
  now: Instant,
  environment: CallEnvironment,
  response: Response,
  flow: Flow,
): void {
  if (!answersUs(environment, response, flow)) return;
  // Each PRACK has used a number, and each request of a call that is over; gaps are no error (RFC 3261 §12.2.2).
  const invite = inviteToldBy(response);
  endAnswer(now, environment, invite, response, { flow }, undefined, MAX_FORGOTTEN_NUMBERS);
}

/** What was not sent from here is not heard (§18.1.2, R45). */
export function answersUs(environment: CallEnvironment, response: Response, flow: Flow): boolean {
  const ours = parseVia(environment.composer.via(flow.peer));
  const theirs = topVia(response.headers);
  return theirs?.host === ours?.host && theirs?.port === ours?.port;
}
