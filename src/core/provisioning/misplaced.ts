/**
 * A line that was copied for the next server and kept the number of the one before: `reg.1.server.1.port` among the
 * lines of server 2, which then has none (a fault of public templates). It overwrites a value that was right.
 */
import type { Origin } from "./configuration.ts";

/** A line under the number of an account that there is not, and the key that it probably means. */
export interface Stray<T extends Origin> {
  readonly at: T;
  readonly meant: string;
}

/** What makes an account one. */
const MAKES_ACCOUNT =
  /^(?:enable|(?:sip_server|server)\.\d+\.address|sip_server_host|user_name|address)$/i;

/**
 * Lines that stand among those of one account, are numbered for another that has neither user nor server, and set
 * what the one lacks.
 */
export function strays<T extends Origin & { readonly value: string }>(
  assignments: readonly T[],
): readonly Stray<T>[] {
  const keys = new Set(assignments.map(({ key }) => key));
  const made = new Set<string>();
  const parts = assignments.map((at) => {
    const [, family = "", number = "", rest = ""] =
      /^(account|reg)\.(\d+)\.(.+)$/.exec(at.key) ?? [];
    const written = at.value !== "" && at.value !== "0" && !at.value.startsWith("%");
    if (written && MAKES_ACCOUNT.test(rest)) made.add(number);
    return { family, number, rest, written };
  });
  return assignments.flatMap((at, index) => {
    const [above, own, below] = [parts[index - 1], parts[index]!, parts[index + 1]];
    const between = above?.number ?? "";
    if (between === "" || between !== below?.number || between === own.number) return [];
    if (own.number === "" || !own.written || made.has(own.number) || !made.has(between)) return [];
    const meant = `${own.family}.${between}.${own.rest}`;
    return keys.has(meant) ? [] : [{ at, meant }];
  });
}

/**
 * The key that a repeated line probably means: that of the line above with the last part of this one, if both differ
 * in one number only and nobody sets that key. Undefined: it is an ordinary repetition.
 */
export function keyMeant(assignments: readonly Origin[], repeated: Origin): string | undefined {
  const at = assignments.indexOf(repeated);
  const above = assignments[at - 1];
  if (above === undefined || above.file !== repeated.file) return undefined;
  const own = repeated.key.split(".");
  const other = above.key.split(".");
  let place = -1;
  // Only what comes before the leaf: `server.2.` in `reg.1.server.2.port`.
  for (let part = 0; part < Math.min(own.length, other.length) - 1; part++) {
    if (own[part] === other[part]) continue;
    if (!/^\d+$/.test(own[part] ?? "") || !/^\d+$/.test(other[part] ?? "")) return undefined;
    if (place !== -1) return undefined;
    place = part;
  }
  if (place === -1) return undefined;
  const meant = own.map((part, index) => (index === place ? other[place] : part)).join(".");
  return assignments.some(({ key }) => key === meant) ? undefined : meant;
}
