/** Every limit of the node world in one place: what peers can make grow, and how long it waits for them. */

export interface Limits {
  /** An arrived datagram flow unused for this long is ended, at the latest a quarter later. */
  readonly datagramIdleMs: number;
  /** Arrived datagram flows at a time over all bound sockets; the longest unused makes room. */
  readonly mostDatagramFlows: number;
  /** Asked of the system for bound datagram sockets; it may give less. */
  readonly receiveBufferBytes: number;
  /** From `open` to usable: connection, TLS and WebSocket handshakes together. */
  readonly connectMs: number;
  /** Bytes waiting for one slow peer; above it the flow is lost as `failed`. */
  readonly mostUnsentBytes: number;
  /** For a peer to take what waits for it, as one batch; one that does not is half open, the flow is lost as `timeout`. */
  readonly stalledMs: number;
  /** Connections that peers have opened, for each listener; more are closed as they come. */
  readonly mostInbound: number;
  /** Of these from one IPv4 address or one IPv6 /64, so that nobody alone keeps the others out. */
  readonly mostInboundOfOne: number;
  /**
   * An inbound connection to which the machine has answered nothing but pongs for so long has brought no complete
   * message (slow loris): it is ended. The same time is given to its handshakes.
   */
  readonly unansweredMs: number;
  /** An inbound connection on which nothing moves: longer than a registration lasts. Ends a quarter later at most. */
  readonly inboundIdleMs: number;
  /** After `close`, for what was sent before to reach a slow peer. */
  readonly lingerMs: number;
  /** One WebSocket message: one SIP message. */
  readonly mostMessageBytes: number;
  /** Frames of one WebSocket message, and chunks that one of them comes in. */
  readonly mostMessagePieces: number;
  /** Request line and headers of a WebSocket upgrade. */
  readonly mostUpgradeBytes: number;
  /** Between pings to a WebSocket peer; one that has not answered by the next, or ended a message it began, is lost. */
  readonly pingMs: number;
}

export const LIMITS: Limits = {
  datagramIdleMs: 60_000,
  mostDatagramFlows: 200_000,
  receiveBufferBytes: 4 << 20,
  connectMs: 5_000,
  mostUnsentBytes: 4 << 20,
  stalledMs: 30_000,
  mostInbound: 20_000,
  mostInboundOfOne: 15_000,
  unansweredMs: 30_000,
  inboundIdleMs: 7_200_000,
  lingerMs: 5_000,
  mostMessageBytes: 64 << 10,
  mostMessagePieces: 256,
  mostUpgradeBytes: 8 << 10,
  pingMs: 30_000,
};
