/**
 * A line that was copied for the next server and kept the number of the one before: `reg.1.server.1.port` among the
 * lines of server 2, which then has none (a fault of public templates). It overwrites a value that was right.
 */
import type { Origin } from "./configuration.ts";

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
