/** The header Accept: which bodies its sender understands (RFC 3261 §20.1). */
import type { Headers } from "./headers.ts";
import { paramOf } from "./params.ts";
import { tokensOf } from "./token-list.ts";

/**
 * Whether a body of that type is understood: the range that names it most closely says so, unless with `q=0`.
 * @param type lower case, without parameters. @param headers without Accept all is understood that the method implies.
 */
export function accepts(headers: Headers, type: string): boolean {
  const ranges = new Map<string, boolean>();
  for (const value of tokensOf(headers, "accept")) {
    const semicolon = value.indexOf(";");
    const range = (semicolon < 0 ? value : value.slice(0, semicolon)).trim().toLowerCase();
    const share = semicolon < 0 ? undefined : paramOf(value.slice(semicolon), "q");
    ranges.set(range, !/^0(?:\.0*)?$/.test(share ?? "1"));
  }
  if (ranges.size === 0) return true;
  const family = `${type.slice(0, type.indexOf("/"))}/*`;
  return ranges.get(type) ?? ranges.get(family) ?? ranges.get("*/*") ?? false;
}
