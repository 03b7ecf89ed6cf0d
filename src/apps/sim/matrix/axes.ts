/** The three axes of the fault matrix, and what each fault means on each kind of transport. */

export type MatrixTransport = "udp" | "tcp" | "tls" | "ws";

export type MatrixFault =
  | "drop"
  | "icmp"
  | "rst"
  | "mute"
  | "503"
  | "503-later"
  | "500"
  | "408"
  | "slow"
  | "dns-dead"
  | "dns-lies";

export type MatrixMethod = "REGISTER" | "INVITE" | "BYE" | "SUBSCRIBE" | "OPTIONS";

export interface Cell {
  readonly transport: MatrixTransport;
  readonly fault: MatrixFault;
  readonly method: MatrixMethod;
}

export const TRANSPORTS: readonly MatrixTransport[] = ["udp", "tcp", "tls", "ws"];

export const METHODS: readonly MatrixMethod[] = [
  "REGISTER",
  "INVITE",
  "BYE",
  "SUBSCRIBE",
  "OPTIONS",
];

export const FAULTS: readonly MatrixFault[] = [
  "drop",
  "icmp",
  "rst",
  "mute",
  "503",
  "503-later",
  "500",
  "408",
  "slow",
  "dns-dead",
  "dns-lies",
];

export interface FaultMeaning {
  readonly title: string;
  /** What has happened to the primary, where the phone speaks to it by datagrams. */
  readonly datagrams: string;
  /** The same for TCP, TLS and WebSocket. */
  readonly streams: string;
  /** What decides, by the numbers that the tests bear. */
  readonly rules: string;
}

const SAME = "the same";

export const MEANINGS: Readonly<Record<MatrixFault, FaultMeaning>> = {
  drop: {
    title: "drop",
    datagrams: "nothing gets through, in either direction",
    streams: "the same; the connection that stands is mute, and a new one is not answered",
    rules: "R3, R24, R36, R39, R69 to R71, V3; C12, C15 and C33 for connections",
  },
  icmp: {
    title: "ICMP reject",
    datagrams: "a router answers host unreachable to every packet",
    streams:
      "the connection has been closed, and to connect anew a router answers host unreachable",
    rules: "R3, R43, R49, R69",
  },
  rst: {
    title: "RST",
    datagrams: "the process is gone: its host answers port unreachable",
    streams: "the process is gone: its host resets what stands, and refuses what is new",
    rules: "R3, R43, R49, R69, C32; C34 for connections",
  },
  mute: {
    title: "accept, then silent",
    datagrams: "the process takes every packet and says nothing",
    streams:
      "the connection has been closed, and the process hangs: its host accepts connections, and nobody reads them; " +
      "handshakes of TLS and WebSocket go unanswered, too",
    rules: "R3, R24, R36, R39, R69 to R71, V3; C12, C15 and C33 for connections",
  },
  "503": {
    title: "503",
    datagrams: "every request is answered with 503",
    streams: SAME,
    rules: "R50, R52, R69, R70, C17",
  },
  "503-later": {
    title: "503 with Retry-After",
    datagrams: "every request is answered with 503 and `Retry-After: 60`",
    streams: SAME,
    rules: "R50, R52, R69, R70, C17, C24",
  },
  "500": {
    title: "500",
    datagrams: "every request is answered with 500",
    streams: SAME,
    rules: "R50, R52, C19",
  },
  "408": {
    title: "408",
    datagrams: "every request is answered with 408",
    streams: SAME,
    rules: "R3, R13, R59, C19",
  },
  slow: {
    title: "slow, 20 s",
    datagrams: "every request is answered as it should be, 20 s after it came",
    streams: "the same; connections are made as quickly as ever",
    rules: "R3, R14, R24, R60, R69, V3; C12, C15 and C33 for connections",
  },
  "dns-dead": {
    title: "DNS dead",
    datagrams:
      "the resolver is silent, and the records' TTL has run out; for REGISTER the phone boots then and knows nothing",
    streams: SAME,
    rules: "R71, R79, C39",
  },
  "dns-lies": {
    title: "DNS lies",
    datagrams:
      "the old TTL has run out, and the name now leads to a stranger: a SIP server of other people that answers " +
      "everything with 404",
    streams: "the same; the stranger's certificate is his own",
    rules: "R79, R104, C8, C19",
  },
};

export function allCells(): Cell[] {
  return FAULTS.flatMap((fault) =>
    TRANSPORTS.flatMap((transport) => METHODS.map((method) => ({ transport, fault, method }))),
  );
}

export function cellName({ transport, fault, method }: Cell): string {
  return `${transport} × ${MEANINGS[fault].title} × ${method}`;
}

export function isDnsFault({ fault }: Cell): boolean {
  return fault === "dns-dead" || fault === "dns-lies";
}

export function isStream({ transport }: Cell): boolean {
  return transport !== "udp";
}

/** A final answer that is no failure of the server (C19, R69). */
export function isAnswer(fault: MatrixFault): boolean {
  return fault === "500" || fault === "408";
}
