/**
 * Via (RFC 3261 §18, §20.42): where a request has been, so where its responses go. `received` and `rport` are RFC
 * 3581, `keep` RFC 6223, `oc` RFC 7339; IPv6 as RFC 5118 clears it up.
 */
import { VIA } from "./header-names.ts";
import type { Headers } from "./headers.ts";
import {
  CLOSE_BRACKET,
  COLON,
  COMMA,
  decimal,
  isBlankCode,
  isDigitCode,
  isToken,
  OPEN_BRACKET,
  SEMICOLON,
  SLASH,
  SPACE,
  skipBlank,
  TAB,
  trimEnd,
  valueEnd,
} from "./lexer.ts";
import { MAX_LIST_VALUES } from "./limits.ts";
import { ParamScan, paramOf, withoutParam, withParam } from "./params.ts";

/** One value of Via (RFC 3261 §20.42). */
export class Via {
  /** Upper case: `UDP`, `TCP`, `TLS`, `WS`, `WSS` or another. */
  declare readonly transport: string;
  /** The host of sent-by, lower case where it was, brackets kept. */
  declare readonly host: string;
  /** The port of sent-by; 0: none was given. */
  declare readonly port: number;
  /** Empty: none (RFC 2543). */
  declare readonly branch: string;
  /** Everything from the first semicolon on, as written. */
  declare readonly params: string;
  /** False if this value, or one behind it in the same line, is not as the grammar wants it. */
  declare readonly sound: boolean;

  constructor(
    transport: string,
    host: string,
    port: number,
    branch: string,
    params: string,
    sound: boolean,
  ) {
    this.transport = transport;
    this.host = host;
    this.port = port;
    this.branch = branch;
    this.params = params;
    this.sound = sound;
  }

  /** The address that `received` names, without brackets (RFC 5118 §4.5). */
  get received(): string | undefined {
    const received = paramOf(this.params, "received");
    return received?.startsWith("[") ? received.slice(1, -1) : received;
  }

  /** Undefined: no such parameter; 0: the sender asks for it; else the port that was seen. */
  get rport(): number | undefined {
    const rport = paramOf(this.params, "rport");
    return rport === undefined ? undefined : Math.max(0, decimal(rport, 0, rport.length, 65_535));
  }

  get maddr(): string | undefined {
    return paramOf(this.params, "maddr");
  }

  get ttl(): number | undefined {
    const ttl = paramOf(this.params, "ttl");
    return ttl === undefined ? undefined : Math.max(0, decimal(ttl, 0, ttl.length, 255));
  }

  /** `sent-by` as it is compared and printed: host, and port if one was given. */
  get sentBy(): string {
    return this.port === 0 ? this.host : `${this.host}:${this.port}`;
  }

  /** Any other parameter, unquoted; empty if it has no value. */
  param(lowerName: string): string | undefined {
    return paramOf(this.params, lowerName);
  }
}

/** The topmost Via, parsed once; undefined if there is none that can be read. */
export function topVia(headers: Headers): Via | undefined {
  return headers.view(VIA, parseVia);
}

/** Every Via from the top; undefined if one cannot be read. */
export function viasOf(headers: Headers): Via[] | undefined {
  const vias: Via[] = [];
  for (let at = headers.indexOf("via"); at >= 0; at = headers.indexOf("via", at + 1)) {
    const line = headers.valueAt(at);
    for (let start = 0; start <= line.length; ) {
      const end = valueEnd(line, start);
      const via =
        end < 0 || vias.length === MAX_LIST_VALUES ? undefined : parseVia(line.slice(start, end));
      if (via === undefined) return undefined;
      vias.push(via);
      start = end + 1;
    }
  }
  return vias;
}

/** Whether nobody but the topmost Via is to have the response: it has come to who asked. */
export function hasOneVia(headers: Headers): boolean {
  const first = headers.find(VIA);
  if (first < 0 || headers.find(VIA, first + 1) >= 0) return false;
  return headers.readAt(first, isOneValue) === true;
}

function isOneValue(text: string, start: number, end: number): boolean {
  return valueEnd(text, start, end) === end;
}

/** Takes the topmost Via away, as a proxy does with a response (§16.7(3)). */
export function removeTopVia(headers: Headers): void {
  const index = headers.indexOf("via");
  if (index < 0) return;
  const line = headers.valueAt(index);
  const end = valueEnd(line, 0);
  if (end < 0 || end === line.length) headers.removeAt(index);
  else headers.setAt(index, line.slice(skipBlank(line, end + 1, line.length)));
}

/**
 * Notes in the top Via where a request really came from: `received` if sent-by names another host or is a name
 * (§18.2.1), and always with the source port where `rport` asks for it (RFC 3581 §4).
 */
export function stampSource(headers: Headers, address: string, port: number): void {
  const via = topVia(headers);
  if (via === undefined) return;
  let params = via.params;
  const claimed = params.indexOf("received") >= 0;
  if (claimed) params = withoutParam(params, "received");
  const answered = withPort(params, port);
  if (answered !== undefined) params = `${answered};received=${address}`;
  else if (!namesAddress(via.host, address)) params += `;received=${address}`;
  else if (!claimed) return;
  replaceTopParams(headers, via, params);
}

/** Writes other parameters into the top Via. @param via what `topVia` gave. */
export function replaceTopParams(headers: Headers, via: Via, params: string): void {
  const index = headers.find(VIA);
  const line = headers.valueAt(index);
  const closed = valueEnd(line, 0);
  const end = closed < 0 ? line.length : closed;
  const semicolon = line.indexOf(";");
  const head = line.slice(0, semicolon < 0 || semicolon > end ? end : semicolon);
  const stamped = new Via(via.transport, via.host, via.port, via.branch, params, via.sound);
  headers.setAt(index, `${head}${params}${line.slice(end)}`, stamped);
}

/** The parameters with `rport` filled in; undefined if there is none. */
function withPort(params: string, port: number): string | undefined {
  const at = params.indexOf("rport");
  if (at < 0) return undefined;
  if (at + 5 === params.length && params.charCodeAt(at - 1) === SEMICOLON)
    return `${params}=${port}`;
  if (paramOf(params, "rport") === undefined) return undefined;
  return withParam(params, "rport", String(port));
}

function namesAddress(host: string, address: string): boolean {
  if (host === address) return true;
  return host.charCodeAt(0) === OPEN_BRACKET && host.slice(1, -1).toLowerCase() === address;
}

/** A new Via value. `host` has brackets if it is IPv6; `port` 0 leaves the port out. */
export function printVia(
  transport: string,
  host: string,
  port: number,
  branch: string,
  params = "",
): string {
  const sentBy = port === 0 ? host : `${host}:${port}`;
  return `SIP/2.0/${transport} ${sentBy};branch=${branch}${params}`;
}

/**
 * The first Via of a line. Empty or odd parameters are forgiven, so that a bad request can still be answered, but they
 * make it unsound.
 */
export function parseVia(text: string, start = 0, lineEnd: number = text.length): Via | undefined {
  const end = valueEnd(text, start, lineEnd);
  if (end < 0) return readVia(text, start, lineEnd, false);
  if (end < lineEnd) return readVia(text, start, end, areVias(text, end + 1, lineEnd));
  return usualVia(text, start, end) ?? readVia(text, start, end, true);
}

/** Whether all of `text[from, end)` are sound Via values. */
function areVias(text: string, from: number, end: number): boolean {
  for (let start = from; start <= end; ) {
    const stop = valueEnd(text, start, end);
    if (stop < 0 || readVia(text, start, stop, true)?.sound !== true) return false;
    start = stop + 1;
  }
  return true;
}

const PROTOCOL_LENGTH = "SIP/2.0/".length;
const BRANCH = ";branch=";

/**
 * The source of a pattern for the Via that nearly every packet has: a name or IPv4 address, and the branch before all
 * other parameters, or behind rport. A pattern passes over a character several times faster than a loop of our own.
 */
export const USUAL_VIA: string = usualViaPattern();

function usualViaPattern(): string {
  const token = String.raw`[\w\-.!%*+\`'~]`;
  const plain = String.raw`[^ \t\r\n;,"]+`;
  // No blank even in quotes: whoever finds this pattern before other lines goes by that.
  const param = `;${token}+(?:=(?:${plain}|"[^ "\\\\\\t\\r\\n]*"))?`;
  return `SIP/2\\.0/${token}+ ${token}+(?::\\d+)?(?:;rport(?:=\\d+)?)?${BRANCH}${plain}(?:${param})*`;
}

const USUAL = new RegExp(USUAL_VIA, "y");

/** Undefined for any other form, sound or not. */
function usualVia(text: string, start: number, end: number): Via | undefined {
  USUAL.lastIndex = start;
  return USUAL.test(text) && USUAL.lastIndex === end ? readUsualVia(text, start, end) : undefined;
}

/** What the pattern has found at `text[start, end)`; undefined if the port is none. */
export function readUsualVia(text: string, start: number, end: number): Via | undefined {
  const transportAt = start + PROTOCOL_LENGTH;
  const datagram = isUdp(text, transportAt);
  const transportEnd = datagram ? transportAt + 3 : text.indexOf(" ", transportAt);
  const transport = datagram ? "UDP" : upperCase(text.slice(transportAt, transportEnd));
  const hostAt = transportEnd + 1;
  const semicolon = text.indexOf(";", hostAt);
  const colon = text.indexOf(":", hostAt);
  const hostEnd = colon < 0 || colon > semicolon ? semicolon : colon;
  let port = 0;
  if (hostEnd < semicolon) {
    port = decimal(text, hostEnd + 1, semicolon, 65_536);
    if (port <= 0 || port > 65_535) return undefined;
  }
  const isFirst = text.charCodeAt(semicolon + 1) === BRANCH.charCodeAt(1);
  const branchAt = (isFirst ? semicolon : text.indexOf(";", semicolon + 1)) + BRANCH.length;
  const next = text.indexOf(";", branchAt);
  return new Via(
    transport,
    text.slice(hostAt, hostEnd),
    port,
    text.slice(branchAt, next < 0 || next > end ? end : next),
    text.slice(semicolon, end),
    true,
  );
}

/** Whether `UDP` and a space stand there, as in most. */
function isUdp(text: string, at: number): boolean {
  return (
    text.charCodeAt(at) === 85 &&
    text.charCodeAt(at + 1) === 68 &&
    text.charCodeAt(at + 2) === 80 &&
    text.charCodeAt(at + 3) === SPACE
  );
}

/** Hardly any transport is written in other letters, and the usual ones come out as the same constant each time. */
function upperCase(transport: string): string {
  if (transport === "UDP") return "UDP";
  if (transport === "TLS") return "TLS";
  return transport === "TCP" ? "TCP" : transport.toUpperCase();
}

function readVia(text: string, start: number, end: number, rest: boolean): Via | undefined {
  const transportStart = afterProtocol(text, start, end);
  if (transportStart < 0) return undefined;
  let at = transportStart;
  while (at < end && !isBlankCode(text.charCodeAt(at))) at += 1;
  if (!isToken(text, transportStart, at)) return undefined;
  const hostAt = skipBlank(text, at, end);
  const hostEnd = endOfHost(text, hostAt, end);
  if (hostEnd <= hostAt) return undefined;
  let port = 0;
  let next = skipBlank(text, hostEnd, end);
  if (next < end && text.charCodeAt(next) === COLON) {
    const digits = skipBlank(text, next + 1, end);
    next = digits;
    while (next < end && isDigitCode(text.charCodeAt(next))) next += 1;
    port = decimal(text, digits, next, 65_536);
    if (port <= 0 || port > 65_535) return undefined;
    next = skipBlank(text, next, end);
  }
  const params = next < end ? text.slice(next, trimEnd(text, next, end)) : "";
  const host = text.slice(hostAt, hostEnd);
  const scan = new ParamScan(params, 0, params.length);
  let branch = "";
  while (scan.next()) {
    if (branch === "" && scan.is("branch")) branch = scan.value();
  }
  const transport = upperCase(text.slice(transportStart, at));
  const sound = rest && scan.sound && scan.at === params.length;
  return new Via(transport, host, port, branch, params, sound);
}

/** The index behind `SIP / 2.0 /` however it is spaced and whatever the version; -1 if it is not that. */
function afterProtocol(text: string, start: number, end: number): number {
  let at = start;
  for (let part = 0; part < 2; part += 1) {
    const slash = text.indexOf("/", at);
    if (slash < 0 || slash >= end) return -1;
    const from = skipBlank(text, at, slash);
    if (!isToken(text, from, trimEnd(text, from, slash))) return -1;
    at = slash + 1;
  }
  return skipBlank(text, at, end);
}

function endOfHost(text: string, start: number, end: number): number {
  if (text.charCodeAt(start) === OPEN_BRACKET) {
    const close = text.indexOf("]", start);
    if (close < 0 || close >= end) return -1;
    for (let index = start + 1; index < close; index += 1) {
      const code = text.charCodeAt(index);
      if (code === COLON || code === 46) continue;
      if (!isDigitCode(code) && !((code | 32) >= 97 && (code | 32) <= 102)) return -1;
    }
    return close + 1;
  }
  let index = start;
  for (; index < end; index += 1) {
    const code = text.charCodeAt(index);
    if (code === COLON || code === SEMICOLON || code === COMMA || code === SPACE || code === TAB)
      break;
    if (code === SLASH || code === CLOSE_BRACKET || code < SPACE) return -1;
  }
  return isToken(text, start, index) ? index : -1;
}
