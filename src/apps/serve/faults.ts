/** Faults on purpose, asked for over `--control`: what the lab does to a server that is alive. */
import { readFileSync } from "node:fs";
import type { ServerEngine } from "../../api/server-engine.ts";
import type { Driver } from "../../worlds/node/driver.ts";
import type { FaultBook } from "../../worlds/node/fault-book.ts";
import { type Control, controlNumber, controlText } from "../control.ts";
import { FAULT_WORDS, obeyFault } from "../control-faults.ts";

/** Undefined: done; otherwise what was wrong with the command. */
export function obey(
  control: Control,
  book: FaultBook,
  { driver, machine: server }: ServerEngine,
): string | undefined {
  if (control.do === "answer-503") {
    server.refuseAll(controlNumber(control, "retryAfter", 0));
    return undefined;
  }
  if (control.do === "certificate") return showCertificate(control, driver);
  if (!FAULT_WORDS.includes(control.do)) {
    return `"${control.do}" is not known; say answer-503, certificate, ${FAULT_WORDS.join(", ")} or stop`;
  }
  const wrong = obeyFault(control, book, driver);
  if (wrong === undefined && control.do === "heal" && !("with" in control)) {
    server.refuseAll(undefined);
  }
  return wrong;
}

/** Another certificate with its key, both paths of PEM files: an expired one, or one that has been renewed. */
function showCertificate(control: Control, driver: Driver): string | undefined {
  try {
    const [certificate, key] = ["certificate", "key"].map((name) =>
      readFileSync(controlText(control, name, ""), "utf8"),
    );
    driver.showCertificate(certificate as string, key as string);
    return undefined;
  } catch (error) {
    return `the certificate cannot be shown: ${error instanceof Error ? error.message : error}`;
  }
}
