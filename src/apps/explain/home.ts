/** Where a phone is before anything fails, and whether it is there again: for explain and the drill. */
import type { Account } from "../../core/phone/account.ts";
import { failbackModeOf } from "../../core/redundancy/failback.ts";
import type { RedundancyPolicy } from "../../core/redundancy/policy.ts";

/** The first server, 1-based, that an account registers at; 1 if it registers nowhere. */
export function homeServer({ servers }: RedundancyPolicy): number {
  const first = servers.findIndex(({ register }) => register);
  return first < 0 ? 1 : first + 1;
}

/** The next request goes to the primary of that server. */
export function isHome(account: Account): boolean {
  const route = account.servers.route(homeServer(account.policy));
  if (account.workingServer !== route.index) return false;
  return route.current === 0 || failbackModeOf(route) === "newRequests";
}
