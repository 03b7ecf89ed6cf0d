/** What so many phones of one kind do to their servers, as people read it and as a JSON object. */
import { type FleetLoad, fleetLoad } from "../../core/provisioning/lint-load.ts";
import type { AccountPolicy } from "../../core/redundancy/policy.ts";

const ROWS: readonly (readonly [field: keyof FleetLoad, words: string])[] = [
  ["refresh", "renewals while all is well"],
  ["probe", "probes of server 1 while they are below it"],
  ["proxyProbe", "probes of the first outbound proxy while they use another"],
  ["start", "when power returns to all at once"],
  ["retry", "tries while no server is up, at the longest wait"],
];

const WIDTH = 54;

export function fleetLines({ redundancy }: AccountPolicy, phones: number): string[] {
  const load = fleetLoad(redundancy, phones);
  const rows = ROWS.filter(([field]) => load[field] > 0);
  return [
    `REGISTERs a second of ${phones} such phones:`,
    ...rows.map(
      ([field, words]) => `  ${words.padEnd(WIDTH)}${load[field].toFixed(1).padStart(9)}`,
    ),
    "",
  ];
}

export function fleetRecord(account: AccountPolicy, phones: number): Record<string, unknown> {
  const { index, user, redundancy } = account;
  const load = fleetLoad(redundancy, phones);
  const rounded = ROWS.map(([field]) => [field, Math.round(load[field] * 10) / 10]);
  return { event: "explain.loaded", account: index, user, phones, ...Object.fromEntries(rounded) };
}
