/**
 * Parameters `;name=value` as they stand in Via, From, Contact, URIs and others (RFC 3261 §25.1). They are kept as
 * the text that came and searched where one is asked for.
 */
import {
  COMMA,
  EQUALS,
  isParamNameCode,
  isParamValueCode,
  matches,
  QUOTE,
  quotedEnd,
  SEMICOLON,
  skipBlank,
  trimEnd,
  unquote,
} from "./lexer.ts";

/** Walks over the parameters in `text[at, end)`, allocating nothing for each. */
export class ParamScan {
  readonly text: string;
  readonly #end: number;
  /** Where the walk stands: at a semicolon, or behind the last parameter. */
  at: number;
  nameStart = 0;
  nameEnd = 0;
  /** Equal to `valueEnd` for a parameter without value. Quotes are part of the value. */
  valueStart = 0;
  valueEnd = 0;
  /** False once something was no parameter; the walk then goes on behind it as well as it can. */
  sound = true;

  constructor(text: string, at: number, end: number) {
    this.text = text;
    this.#end = end;
    this.at = skipBlank(text, at, end);
  }

  /** Steps to the next parameter; false at a comma, at the end, or at what is no parameter at all. */
  next(): boolean {
    const { text } = this;
    const end = this.#end;
    while (this.at < end && text.charCodeAt(this.at) === SEMICOLON) {
      const start = skipBlank(text, this.at + 1, end);
      let index = start;
      while (index < end && isParamNameCode(text.charCodeAt(index))) index += 1;
      this.nameStart = start;
      this.nameEnd = index;
      index = skipBlank(text, index, end);
      this.valueStart = index;
      this.valueEnd = index;
      if (this.nameEnd === start) {
        this.sound = false;
        this.at = index;
        continue;
      }
      if (index < end && text.charCodeAt(index) === EQUALS) index = this.#readValue(index + 1);
      this.at = index;
      return true;
    }
    if (this.at < end && text.charCodeAt(this.at) !== COMMA) this.sound = false;
    return false;
  }

  value(): string {
    return unquote(this.text.slice(this.valueStart, this.valueEnd));
  }

  is(lowerName: string): boolean {
    return matches(this.text, this.nameStart, this.nameEnd, lowerName);
  }

  #readValue(from: number): number {
    const { text } = this;
    const end = this.#end;
    const start = skipBlank(text, from, end);
    let index = start;
    if (index < end && text.charCodeAt(index) === QUOTE) {
      index = quotedEnd(text, index, end);
      if (index < 0 || index > end) {
        this.sound = false;
        index = end;
      }
    } else {
      while (index < end && isParamValueCode(text.charCodeAt(index))) index += 1;
      if (index === start) this.sound = false;
    }
    this.valueStart = start;
    this.valueEnd = index;
    return skipBlank(text, index, end);
  }
}

/** A parameter's value, unquoted; empty if it has none; undefined if it is absent. */
export function paramOf(params: string, lowerName: string): string | undefined {
  if (params.length === 0) return undefined;
  const usual = usualParam(params, lowerName);
  if (usual !== undefined) return usual;
  const scan = new ParamScan(params, 0, params.length);
  while (scan.next()) {
    if (scan.is(lowerName)) return scan.value();
  }
  return undefined;
}

/** The value behind `;name=` if that is found spelled so and behind every quote there is: most are, and at once. */
function usualParam(params: string, lowerName: string): string | undefined {
  const at = params.indexOf(lowerName);
  const equals = at + lowerName.length;
  if (at < 1 || params.charCodeAt(at - 1) !== SEMICOLON) return undefined;
  if (params.charCodeAt(equals) !== EQUALS || params.indexOf('"', at) >= 0) return undefined;
  const semicolon = params.indexOf(";", equals);
  const end = semicolon < 0 ? params.length : semicolon;
  const first = params.charCodeAt(equals + 1);
  if (!isParamValueCode(first) || !isParamValueCode(params.charCodeAt(end - 1))) return undefined;
  return params.slice(equals + 1, end);
}

/**
 * The source of a pattern for any number of parameters, without blanks and escapes: the characters of isParamNameCode,
 * then of isParamValueCode. A pattern passes over a character several times faster than a loop of our own.
 */
export const COMPACT_PARAMS: string = String.raw`(?:;[\w\-.!%*+\`'~[\]/:&$]+(?:=(?:[!#-+\--:<-~\x80-\xff]+|"[^"\\\r\n]*"))?)*`;

/** All parameters in order, names in lower case, values unquoted. */
export function paramList(params: string): [name: string, value: string][] {
  const list: [string, string][] = [];
  const scan = new ParamScan(params, 0, params.length);
  while (scan.next()) {
    list.push([params.slice(scan.nameStart, scan.nameEnd).toLowerCase(), scan.value()]);
  }
  return list;
}

/** `params` without any of that name. */
export function withoutParam(params: string, lowerName: string): string {
  let kept = "";
  let from = 0;
  const scan = new ParamScan(params, 0, params.length);
  for (let start = scan.at; scan.next(); start = scan.at) {
    if (!scan.is(lowerName)) continue;
    kept += params.slice(from, start);
    from = scan.at;
  }
  return from === 0 ? params : kept + params.slice(from);
}

/** `params` with exactly one of that name, in its old place or last; `value` undefined makes a bare name. */
export function withParam(params: string, lowerName: string, value?: string): string {
  const written = value === undefined ? lowerName : `${lowerName}=${value}`;
  const scan = new ParamScan(params, 0, params.length);
  while (scan.next()) {
    if (!scan.is(lowerName)) continue;
    const end = trimEnd(params, 0, scan.at);
    return `${params.slice(0, scan.nameStart)}${written}${withoutParam(params.slice(end), lowerName)}`;
  }
  return `${params};${written}`;
}
