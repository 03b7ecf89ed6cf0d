/** Faults on purpose, asked for over `--control`: what the lab does to a server that is alive. */
import type { SipServer } from "../../core/server/server.ts";
import type { Driver } from "../../worlds/node/driver.ts";
import { type Control, controlNumber } from "../control.ts";

/** Undefined: done; otherwise what was wrong with the command. */
export function obey(control: Control, driver: Driver, server: SipServer): string | undefined {
  switch (control.do) {
    case "answer-503":
      server.refuseAll(controlNumber(control, "retryAfter", 0));
      return undefined;
    case "drop":
      driver.rule = () => "drop";
      return undefined;
    case "refuse":
      driver.rule = () => "refuse";
      return undefined;
    case "delay": {
      const delayMs = controlNumber(control, "ms", 0);
      driver.rule = ({ direction }) => (direction === "out" ? { delayMs } : "pass");
      return undefined;
    }
    case "heal":
      driver.rule = undefined;
      server.refuseAll(undefined);
      return undefined;
    default:
      return `"${control.do}" is not known; say answer-503, drop, refuse, delay, heal or stop`;
  }
}
