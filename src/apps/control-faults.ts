/**
 * Faults of the way between this process and its peers, asked for over `--control`:
 * `{"do":"lose","share":0.3,"with":["127.0.0.13"]}`; without `with` they meet everybody. With `"inward":true` it is the
 * peers whose packets a delay holds up.
 */
import type { NetworkFault } from "../core/network-rules.ts";
import type { Driver } from "../worlds/node/driver.ts";
import type { FaultBook } from "../worlds/node/fault-book.ts";
import { type Control, controlNumber } from "./control.ts";

export const FAULT_WORDS: readonly string[] = [
  "drop",
  "refuse",
  "delay",
  "lose",
  "duplicate",
  "reorder",
  "reset",
  "heal",
];

/** More peers than these are not told apart. */
const MOST_PEERS = 256;

/** @returns what is wrong with the command; undefined: done. */
export function obeyFault(
  control: Control,
  book: FaultBook,
  driver: Driver | undefined,
): string | undefined {
  const peers = peersOf(control);
  if (peers === undefined) return `"with" is not a list of at most ${MOST_PEERS} addresses`;
  if (control.do === "heal") {
    book.heal("with" in control ? peers : undefined);
    return undefined;
  }
  if (control.do === "reset") {
    driver?.reset(peers.length === 0 ? undefined : ({ address }) => peers.includes(address));
    return undefined;
  }
  const fault = faultOf(control);
  if (fault === undefined) return `"${control.do}" is not known; say ${FAULT_WORDS.join(", ")}`;
  book.set(fault, peers, control.inward === true);
  return undefined;
}

function faultOf(control: Control): NetworkFault | undefined {
  const share = controlNumber(control, "share", 1);
  const ms = controlNumber(control, "ms", 0);
  switch (control.do) {
    case "drop":
    case "refuse":
      return { kind: control.do };
    case "delay":
      return { kind: "delay", ms };
    case "lose":
    case "duplicate":
      return { kind: control.do, share };
    case "reorder":
      return { kind: "reorder", share, ms };
    default:
      return undefined;
  }
}

function peersOf({ with: peers = [] }: Control): readonly string[] | undefined {
  if (!Array.isArray(peers) || peers.length > MOST_PEERS) return undefined;
  return peers.every((peer): peer is string => typeof peer === "string") ? peers : undefined;
}
