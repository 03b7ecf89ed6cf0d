/** What invariants read of a message without reading the whole of it. */
import type { Peer } from "../../../core/machine.ts";
import type { RedundancyPolicy } from "../../../core/redundancy/policy.ts";
import type { SimulatedMessage } from "../surroundings.ts";

/** One end of what is sent. */
export type End = Pick<Peer, "transport" | "address" | "port">;

export function sendsRequest({ direction }: SimulatedMessage, text: string): boolean {
  return direction === "out" && /^[A-Z]+ /.test(text);
}

/** RFC 3261 Timer B, in T1: after that nobody hears what comes in answer to an INVITE. */
export const TIMER_B_T1 = 64;

/** What began before may have gone round, or was on its way to the primary, for so long at most. */
export function longestTrialMs({ t1Ms }: RedundancyPolicy): number {
  return TIMER_B_T1 * t1Ms + BESIDE_TIMER_B_MS;
}

/** For the places that were tried before the one that had all of Timer B. */
const BESIDE_TIMER_B_MS = 13_000;

/** The far end. */
export function placeOf({ peer }: { readonly peer: End }): string {
  return `${peer.transport}:${peer.address}:${peer.port}`;
}

export function branchOf(text: string): string {
  return /^Via: .*branch=([^;\r]+)/m.exec(text)?.[1] ?? "";
}

export function callIdOf(text: string): string {
  return /^Call-ID: (.*?)\r?$/m.exec(text)?.[1] ?? "";
}

export function cseqOf(text: string): string {
  return /^CSeq: (\d+ \w+)/m.exec(text)?.[1] ?? "";
}

/** In the middle of a dialog. */
export function hasToTag(text: string): boolean {
  return /^To: .*;tag=/m.test(text);
}

export function fromTagOf(text: string): string {
  return /^From: .*;tag=([^;\r]+)/m.exec(text)?.[1] ?? "";
}
