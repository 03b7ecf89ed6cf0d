/**
 * The part of STUN (RFC 8489) that keeps a datagram flow alive on the SIP port (RFC 5626 §8): Binding requests,
 * their answers with XOR-MAPPED-ADDRESS, and 420 for what nobody here understands. No credentials, no fingerprint.
 */
import type { Entropy } from "../primitives.ts";

export interface StunMessage {
  readonly kind: "request" | "indication" | "success" | "error";
  /** The whole of it: an answer repeats its transaction. */
  readonly bytes: Uint8Array;
  /** Where the sender's packets came from, as the answerer saw it: the port, then the address, 16 bits each. */
  readonly mapped: readonly number[] | undefined;
  /** Attributes that must be understood, and are not (§14). */
  readonly unknown: readonly number[];
}

const HEADER_BYTES = 20;
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

const NOTHING: readonly number[] = [];
/** Where the cookie stands, and behind it the transaction. */
const KEY_AT = 4;
const TRANSACTION_AT = 8;
const DOT = 46;
const ZERO = 48;

/** What no SIP message can begin with: two zero bits, the length of the whole, the magic cookie (§5). */
export function isStun(bytes: Uint8Array): boolean {
  if (bytes.length < HEADER_BYTES || (bytes[0] as number) > 3) return false;
  for (let index = 0; index < 4; index += 1) if (bytes[4 + index] !== COOKIE[index]) return false;
  return true;
}

/** Undefined: broken, or not about bindings; such packets are dropped (§6.3). */
export function readStun(bytes: Uint8Array): StunMessage | undefined {
  const kind = kindOf(word(bytes, 0));
  const end = HEADER_BYTES + word(bytes, 2);
  if (kind === undefined || end !== bytes.length || end % 4 !== 0) return undefined;
  let mapped: number[] | undefined;
  let plain: number[] | undefined;
  let unknown = NOTHING;
  for (let at = HEADER_BYTES; at < end; ) {
    const type = word(bytes, at);
    const length = word(bytes, at + 2);
    if (at + 4 + length > end) return undefined;
    if (type === XOR_MAPPED_ADDRESS) mapped = addressOf(bytes, at + 4, length, KEY_AT);
    else if (type === MAPPED_ADDRESS) plain = addressOf(bytes, at + 4, length, undefined);
    else if (type < OPTIONAL && type !== ERROR_CODE && type !== UNKNOWN_ATTRIBUTES) {
      unknown = [...unknown, type];
    }
    at += 4 + length + ((4 - (length % 4)) % 4);
  }
  return { kind, bytes, mapped: mapped ?? plain, unknown };
}

/** With a transaction of 96 random bits (§6.2.1). */
export function printBindingRequest(entropy: Entropy): Uint8Array {
  const bytes = headed(REQUEST, 0);
  for (let at = TRANSACTION_AT; at < HEADER_BYTES; at += 4) {
    const drawn = entropy.uint32();
    for (let byte = 0; byte < 4; byte += 1) bytes[at + byte] = drawn >>> (8 * byte);
  }
  return bytes;
}

/** Compared byte by byte: a small array that has been looked at through a view takes memory outside the heap. */
export function haveSameTransaction(one: Uint8Array, other: Uint8Array): boolean {
  for (let at = TRANSACTION_AT; at < HEADER_BYTES; at += 1) if (one[at] !== other[at]) return false;
  return true;
}

/** The answer to a Binding request that came from there; 420 if it demands more than that. */
export function printBindingAnswer(
  { bytes, unknown }: StunMessage,
  address: string,
  port: number,
): Uint8Array {
  if (unknown.length === 0) return withMapped(bytes, address, port);
  const listed = unknown.slice(0, MAX_UNKNOWN);
  const reason = attribute(ERROR_CODE, [0, 0, 4, 20]);
  const types = listed.flatMap((type) => [type >> 8, type & 255]);
  const attributes = [...reason, ...attribute(UNKNOWN_ATTRIBUTES, types)];
  const answer = answering(ERROR, bytes, attributes.length);
  answer.set(attributes, HEADER_BYTES);
  return answer;
}

/** A header without its transaction, and room behind it. */
function headed(type: number, room: number): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + room);
  putWord(bytes, 0, type);
  putWord(bytes, 2, room);
  for (let index = 0; index < 4; index += 1) bytes[KEY_AT + index] = COOKIE[index] as number;
  return bytes;
}

/** The same with the transaction of a request. */
function answering(type: number, request: Uint8Array, room: number): Uint8Array {
  const bytes = headed(type, room);
  for (let at = TRANSACTION_AT; at < HEADER_BYTES; at += 1) bytes[at] = request[at] as number;
  return bytes;
}

function attribute(type: number, value: readonly number[]): number[] {
  const padding = new Array<number>((4 - (value.length % 4)) % 4).fill(0);
  return [type >> 8, type & 255, value.length >> 8, value.length & 255, ...value, ...padding];
}

/** Success: port and address are mixed with the cookie and the transaction, which stand in the header (§14.2). */
function withMapped(request: Uint8Array, address: string, port: number): Uint8Array {
  const six = address.includes(":");
  const size = six ? 16 : 4;
  const bytes = answering(SUCCESS, request, 8 + size);
  putWord(bytes, HEADER_BYTES, XOR_MAPPED_ADDRESS);
  putWord(bytes, HEADER_BYTES + 2, 4 + size);
  putWord(bytes, HEADER_BYTES + 4, six ? IPV6 : IPV4);
  putWord(bytes, HEADER_BYTES + 6, port ^ word(bytes, KEY_AT));
  if (six) bytes.set(octetsOf(address), HEADER_BYTES + 8);
  else putFour(bytes, HEADER_BYTES + 8, address);
  for (let index = 0; index < size; index += 1) {
    const at = HEADER_BYTES + 8 + index;
    bytes[at] = (bytes[at] as number) ^ (bytes[KEY_AT + index] as number);
  }
  return bytes;
}

/** @param keyAt where the bytes stand that it was mixed with, the port with the first two; undefined: with nothing. */
function addressOf(
  bytes: Uint8Array,
  at: number,
  length: number,
  keyAt: number | undefined,
): number[] | undefined {
  const family = bytes[at + 1];
  if (!(family === IPV4 && length === 8) && !(family === IPV6 && length === 20)) return undefined;
  const clear = (index: number, key: number): number =>
    word(bytes, at + index) ^ (keyAt === undefined ? 0 : word(bytes, keyAt + key));
  const mapped = [clear(2, 0)];
  for (let index = 4; index < length; index += 2) mapped.push(clear(index, index - 4));
  return mapped;
}

/** Writes the four bytes of a literal IPv4 address. */
function putFour(bytes: Uint8Array, at: number, address: string): void {
  let octet = 0;
  let next = at;
  for (let index = 0; index < address.length; index += 1) {
    const code = address.charCodeAt(index);
    if (code === DOT) {
      bytes[next] = octet;
      next += 1;
      octet = 0;
    } else octet = 10 * octet + code - ZERO;
  }
  bytes[next] = octet;
}

/** A literal IPv6 address as its 16 bytes. */
function octetsOf(address: string): number[] {
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

function putWord(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8;
  bytes[at + 1] = value;
}

function kindOf(type: number): StunMessage["kind"] | undefined {
  switch (type) {
    case REQUEST:
      return "request";
    case INDICATION:
      return "indication";
    case SUCCESS:
      return "success";
    case ERROR:
      return "error";
    default:
      return undefined;
  }
}
