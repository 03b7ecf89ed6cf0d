/**
 * A 2xx to an INVITE whose transaction is long over: a server was frozen and has delivered the call after all. Whoever
 * answered is told at once that nobody is there (RFC 6026 §8.1 leaves it to the transaction user).
 */
import { dialogKey } from "../dialog/dialog.ts";
import type { Instant } from "../machine.ts";
import type { Response } from "../message/message.ts";
import { fromOf, toOf } from "../message/name-addr.ts";
import { parseVia, topVia } from "../message/via.ts";
import type { Flow } from "../transaction/user.ts";
import type { CallEnvironment } from "./call-environment.ts";
import { type CallLeg, endAnswer, inviteToldBy } from "./call-leg.ts";
import { MAX_FORGOTTEN_NUMBERS, MAX_FORKS } from "./limits.ts";

export class StrayAnswers {
  /** Those that were ended lately, by dialog: each is sent again until its ACK arrives. */
  readonly #ended = new Map<string, CallLeg>();

  heard(now: Instant, environment: CallEnvironment, response: Response, flow: Flow): void {
    if (!answersUs(environment, response, flow)) return;
    const { headers } = response;
    const [from, to] = [fromOf(headers)?.tag ?? "", toOf(headers)?.tag ?? ""];
    const key = dialogKey(headers.get("call-id") ?? "", from, to);
    const invite = inviteToldBy(response);
    const known = this.#ended.get(key);
    if (known !== undefined) {
      known.acknowledge(now, invite);
      return;
    }
    // Each PRACK has used a number, and each request of a call that is over; gaps are no error (RFC 3261 §12.2.2).
    const forgotten = MAX_FORGOTTEN_NUMBERS;
    const leg = endAnswer(now, environment, invite, response, { flow }, undefined, forgotten);
    if (leg === undefined) return;
    for (const oldest of this.#ended.keys()) {
      if (this.#ended.size < MAX_FORKS) break;
      this.#ended.delete(oldest);
    }
    this.#ended.set(key, leg);
  }
}

/** What was not sent from here is not heard (§18.1.2, R45). */
export function answersUs(environment: CallEnvironment, response: Response, flow: Flow): boolean {
  const ours = parseVia(environment.composer.via(flow.peer));
  const theirs = topVia(response.headers);
  return theirs?.host === ours?.host && theirs?.port === ours?.port;
}
