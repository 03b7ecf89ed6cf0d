/**
 * The part of STUN (RFC 8489) that keeps a datagram flow alive on the SIP port (RFC 5626 §8): Binding requests,
 * their answers with XOR-MAPPED-ADDRESS, and 420 for what nobody here understands. No credentials, no fingerprint.
 */

export interface StunMessage {
  readonly kind: "request" | "indication" | "success" | "error";
  /** The twelve bytes that an answer repeats. */
  readonly transaction: Uint8Array;
  /** Where the sender's packets came from, as the answerer saw it: `192.0.2.1:5060`, `[2001:db8:0:0:0:0:0:1]:5060`. */
  readonly mapped: string | undefined;
  /** Attributes that must be understood, and are not (§14). */
  readonly unknown: readonly number[];
}

const HEADER_BYTES = 20;
const TRANSACTION_BYTES = 12;
const COOKIE: readonly number[] = [0x21, 0x12, 0xa4, 0x42];

const IPV4 = 1;
const IPV6 = 2;
const REQUEST = 0x0001;
const INDICATION = 0x0011;
const SUCCESS = 0x0101;
const ERROR = 0x0111;

const MAPPED_ADDRESS = 0x0001;
const ERROR_CODE = 0x0009;
const UNKNOWN_ATTRIBUTES = 0x000a;
const XOR_MAPPED_ADDRESS = 0x0020;
/** From here on an attribute may be passed over. */
const OPTIONAL = 0x8000;

/** Attributes listed as unknown in one answer: it stays no larger than a small multiple of what was asked. */
const MAX_UNKNOWN = 8;

const KINDS: Readonly<Record<number, StunMessage["kind"]>> = {
  [REQUEST]: "request",
  [INDICATION]: "indication",
  [SUCCESS]: "success",
  [ERROR]: "error",
};

/** What no SIP message can begin with: two zero bits, the length of the whole, the magic cookie (§5). */
export function isStun(bytes: Uint8Array): boolean {
  if (bytes.length < HEADER_BYTES || (bytes[0] as number) > 3) return false;
  return COOKIE.every((byte, index) => bytes[4 + index] === byte);
}

/** Undefined: broken, or not about bindings; such packets are dropped (§6.3). */
export function readStun(bytes: Uint8Array): StunMessage | undefined {
  const kind = KINDS[word(bytes, 0)];
  const end = HEADER_BYTES + word(bytes, 2);
  if (kind === undefined || end !== bytes.length || end % 4 !== 0) return undefined;
  const transaction = bytes.slice(8, HEADER_BYTES);
  let mapped: string | undefined;
  let plain: string | undefined;
  const unknown: number[] = [];
  for (let at = HEADER_BYTES; at < end; ) {
    const type = word(bytes, at);
    const length = word(bytes, at + 2);
    if (at + 4 + length > end) return undefined;
    const value = bytes.subarray(at + 4, at + 4 + length);
    if (type === XOR_MAPPED_ADDRESS) mapped = addressOf(value, [...COOKIE, ...transaction]);
    else if (type === MAPPED_ADDRESS) plain = addressOf(value, []);
    else if (type < OPTIONAL && type !== ERROR_CODE && type !== UNKNOWN_ATTRIBUTES) {
      unknown.push(type);
    }
    at += 4 + length + ((4 - (length % 4)) % 4);
  }
  return { kind, transaction, mapped: mapped ?? plain, unknown };
}

/** @param transaction twelve bytes of chance. */
export function printBindingRequest(transaction: Uint8Array): Uint8Array {
  return print(REQUEST, transaction, []);
}

/** The answer to a Binding request that came from there; 420 if it demands more than that. */
export function printBindingAnswer(
  { transaction, unknown }: StunMessage,
  address: string,
  port: number,
): Uint8Array {
  if (unknown.length === 0)
    return print(SUCCESS, transaction, xorMapped(transaction, address, port));
  const listed = unknown.slice(0, MAX_UNKNOWN);
  const reason = attribute(ERROR_CODE, [0, 0, 4, 20]);
  const types = listed.flatMap((type) => [type >> 8, type & 255]);
  return print(ERROR, transaction, [...reason, ...attribute(UNKNOWN_ATTRIBUTES, types)]);
}

function print(type: number, transaction: Uint8Array, attributes: readonly number[]): Uint8Array {
  const { length } = attributes;
  const head = [type >> 8, type & 255, length >> 8, length & 255, ...COOKIE];
  return Uint8Array.from([...head, ...transaction.subarray(0, TRANSACTION_BYTES), ...attributes]);
}

function attribute(type: number, value: readonly number[]): number[] {
  const padding = new Array<number>((4 - (value.length % 4)) % 4).fill(0);
  return [type >> 8, type & 255, value.length >> 8, value.length & 255, ...value, ...padding];
}

function xorMapped(transaction: Uint8Array, address: string, port: number): number[] {
  const key = [...COOKIE, ...transaction];
  const family = address.includes(":") ? IPV6 : IPV4;
  const value = [port >> 8, port & 255].map((byte, index) => byte ^ (key[index] as number));
  const host = octetsOf(address).map((byte, index) => byte ^ (key[index] as number));
  return attribute(XOR_MAPPED_ADDRESS, [0, family, ...value, ...host]);
}

/** @param key what the bytes were mixed with (§14.2), the port with its first two; empty: nothing. */
function addressOf(value: Uint8Array, key: readonly number[]): string | undefined {
  const family = value[1];
  if (!(family === IPV4 && value.length === 8) && !(family === IPV6 && value.length === 20)) {
    return undefined;
  }
  const clear = (index: number, from: number): number =>
    (value[index] as number) ^ (key[index - from] ?? 0);
  const port = clear(2, 2) * 256 + clear(3, 2);
  const octets = Array.from({ length: value.length - 4 }, (_, index) => clear(4 + index, 4));
  if (family === IPV4) return `${octets.join(".")}:${port}`;
  const groups = octets
    .filter((_, index) => index % 2 === 0)
    .map((octet, index) => (octet * 256 + (octets[2 * index + 1] as number)).toString(16));
  return `[${groups.join(":")}]:${port}`;
}

/** A literal address as its 4 or 16 bytes. */
function octetsOf(address: string): number[] {
  if (!address.includes(":")) return address.split(".").map(Number);
  // A zone is of no concern to the far end, and an IPv4 tail is two groups.
  const text = (address.split("%")[0] as string).replace(
    /(\d+)\.(\d+)\.(\d+)\.(\d+)$/,
    (_, a, b, c, d) =>
      `${(Number(a) * 256 + Number(b)).toString(16)}:${(Number(c) * 256 + Number(d)).toString(16)}`,
  );
  const [head = "", tail] = text.split("::");
  const first = groupsOf(head);
  const last = groupsOf(tail ?? "");
  const zeros = new Array<number>(Math.max(0, 8 - first.length - last.length)).fill(0);
  return [...first, ...zeros, ...last].flatMap((group) => [group >> 8, group & 255]);
}

function groupsOf(text: string): number[] {
  return text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));
}

function word(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}
