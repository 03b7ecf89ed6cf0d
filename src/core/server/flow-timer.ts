/** How long a phone may be silent on its flow: Flow-Timer (RFC 5626 §5.4, §11.2) and `keep` (RFC 6223 §4). */
import type { TransportName } from "../machine.ts";

/** NAT forgets connections after minutes, datagrams after half of one (RFC 5626 §4.4). */
const STREAM_SECONDS = 120;
const DATAGRAM_SECONDS = 30;

/** Before a flow is taken for dead a late keep-alive may come. */
const GRACE_SECONDS = 10;

export function flowTimerSeconds(transport: TransportName): number {
  return transport === "udp" ? DATAGRAM_SECONDS : STREAM_SECONDS;
}

/** Whether a flow that promised keep-alives and was silent so long may be taken for alive. */
export function isFresh(transport: TransportName, silentMs: number): boolean {
  return silentMs <= (flowTimerSeconds(transport) + GRACE_SECONDS) * 1000;
}

/**
 * The topmost Via of an answer: where the sender asks whether to send keep-alives, he is told how often. Others are as
 * they were.
 */
export function keptVia(via: string, transport: TransportName): string {
  const at = via.indexOf(";keep");
  if (at < 0) return via;
  const end = at + ";keep".length;
  const next = via.charAt(end);
  const comma = via.indexOf(",");
  if ((next !== "" && next !== ";" && next !== ",") || (comma >= 0 && comma < at)) return via;
  return `${via.slice(0, end)}=${flowTimerSeconds(transport)}${via.slice(end)}`;
}
