/**
 * The states of a call, spelled as those of a dialog (RFC 4235 §3.7.1) where it has them.
 *
 *   placed:    binding ─▶ trying ─1xx─▶ early ──2xx──▶ confirmed ──hang up──▶ ending ─▶ terminated
 *                           └────┴──hang up──▶ cancelling ─▶ terminated
 *   received:  binding ─▶ alerting ─answer─▶ accepted ─ACK─▶ confirmed
 *                 └───────────┴──CANCEL, BYE, refusal──▶ terminated
 */
export type CallState =
  | "binding"
  | "trying"
  | "early"
  | "cancelling"
  | "alerting"
  | "accepted"
  | "confirmed"
  | "ending"
  | "terminated";
