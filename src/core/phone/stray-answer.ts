/**
 * A 2xx to an INVITE whose transaction is long over: a server was frozen and has delivered the call after all. Whoever
 * answered is told at once that nobody is there (RFC 6026 §8.1 leaves it to the transaction user).
 */
import type { Instant } from "../machine.ts";
import type { Request, Response } from "../message/message.ts";
import { toOf } from "../message/name-addr.ts";
import type { Flow } from "../transaction/user.ts";
import type { CallEnvironment } from "./call-environment.ts";
import { endAnswer } from "./call-leg.ts";

/** All that a dialog needs of the INVITE stands in its answer, too. */
export function endStrayAnswer(
  now: Instant,
  environment: CallEnvironment,
  response: Response,
  flow: Flow,
): void {
  const { headers } = response;
  const uri = toOf(headers)?.uri ?? "";
  const invite: Request = { kind: "request", method: "INVITE", uri, headers, body: "" };
  endAnswer(now, environment, invite, response, { flow });
}
