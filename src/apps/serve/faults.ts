/** Faults on purpose, asked for over `--control`: what the lab does to a server that is alive. */
import type { SipServer } from "../../core/server/server.ts";
import type { FaultBook } from "../../worlds/node/fault-book.ts";
import { type Control, controlNumber } from "../control.ts";
import { FAULT_WORDS, obeyFault } from "../control-faults.ts";

/** Undefined: done; otherwise what was wrong with the command. */
export function obey(control: Control, book: FaultBook, server: SipServer): string | undefined {
  if (control.do === "answer-503") {
    server.refuseAll(controlNumber(control, "retryAfter", 0));
    return undefined;
  }
  if (!FAULT_WORDS.includes(control.do)) {
    return `"${control.do}" is not known; say answer-503, ${FAULT_WORDS.join(", ")} or stop`;
  }
  const wrong = obeyFault(control, book);
  if (wrong === undefined && control.do === "heal" && !("with" in control)) {
    server.refuseAll(undefined);
  }
  return wrong;
}
