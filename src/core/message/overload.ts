/**
 * Overload control in the topmost Via (RFC 7339 §4, §9; RFC 7415): a client offers it, the server it is sent to says in
 * the same Via of the response how much less it wants.
 */
import { decimal } from "./lexer.ts";
import { paramOf, withoutParam } from "./params.ts";

/** `loss`: keep back so many of a hundred requests. `rate`: send at most so many in a second (RFC 7415). */
export type OverloadAlgorithm = "loss" | "rate";

/** What a server says of itself. */
export interface OverloadReport {
  readonly algorithm: OverloadAlgorithm;
  /** Percent of requests to keep back, or requests a second. */
  readonly value: number;
  /** Good for so long, milliseconds; 0: not overloaded any more. */
  readonly validityMs: number;
  /** Rises with each report of one server. */
  readonly sequence: number;
}

/** What a client puts into its Via. Without a comma in quotes, which many a parser takes for the next Via. */
export const LOSS_OFFER = ';oc;oc-algo="loss"';

/** Where nothing is said (RFC 7339 §4.3). */
export const DEFAULT_VALIDITY_MS = 500;

/** A peer can silence us for no longer at a time, whatever it says. */
export const MAX_VALIDITY_MS = 60_000;

const MAX_VALUE = 0xffff_ffff;

const WORD = /;\s*oc/i;
const VALUE = /;\s*oc\s*=/i;

/** Whether the parameters may hold a word of overload: looked at first, since hardly any Via has one. */
export function mayTell(params: string): boolean {
  return WORD.test(params);
}

/** The algorithms that a client offers, its `oc` having no value yet; undefined: it knows nothing of all this. */
export function offeredIn(params: string): readonly string[] | undefined {
  if (!mayTell(params) || paramOf(params, "oc") === undefined) return undefined;
  const named = paramOf(params, "oc-algo") ?? "loss";
  return named.split(",").map((name) => name.trim().toLowerCase());
}

/** The report in the Via of a response to a request of ours; undefined: there is none, or it cannot be understood. */
export function reportIn(params: string): OverloadReport | undefined {
  if (!VALUE.test(params)) return undefined;
  const algorithm = (paramOf(params, "oc-algo") ?? "loss").toLowerCase();
  if (algorithm !== "loss" && algorithm !== "rate") return undefined;
  const value = numberIn(params, "oc");
  if (value === undefined || (algorithm === "loss" && value > 100)) return undefined;
  const validityMs = Math.min(
    numberIn(params, "oc-validity") ?? DEFAULT_VALIDITY_MS,
    MAX_VALIDITY_MS,
  );
  const sequence = paramOf(params, "oc-seq") ?? "0";
  if (!/^\d{1,12}(\.\d{1,5})?$/.test(sequence)) return undefined;
  return { algorithm, value, validityMs, sequence: Number(sequence) };
}

/** The parameters with a report instead of the offer. */
export function withReport(params: string, report: OverloadReport): string {
  const { algorithm, value, validityMs, sequence } = report;
  const said = `;oc=${value};oc-algo="${algorithm}";oc-validity=${validityMs};oc-seq=${sequence.toFixed(3)}`;
  return withoutReport(params) + said;
}

/** The parameters without any word of overload. */
export function withoutReport(params: string): string {
  let rest = params;
  for (const name of ["oc", "oc-algo", "oc-validity", "oc-seq"]) rest = withoutParam(rest, name);
  return rest;
}

function numberIn(params: string, name: string): number | undefined {
  const text = paramOf(params, name);
  if (text === undefined) return undefined;
  const value = decimal(text, 0, text.length, MAX_VALUE);
  return value < 0 ? undefined : value;
}
