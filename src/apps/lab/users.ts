/** Whom the servers of a topology know, and by which passwords. */
import type { LoadPlan, Topology } from "../scenario/scenario.ts";

/** Whom servers know: each phone, and each load by its name. */
export function usersOf({ phones, loads = [] }: Topology): Readonly<Record<string, string>> {
  const callers = loads.map((load) => [load.name, passwordOf(load)] as const);
  return Object.fromEntries([
    ...phones.map((one) => [one.user, one.password] as const),
    ...callers,
  ]);
}

/** Servers know a load as a user of its own name. */
export function passwordOf({ name }: LoadPlan): string {
  return `lab-${name}`;
}
