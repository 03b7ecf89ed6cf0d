/** Whether a phone is where it was before anything failed: what explain foretells and the drill measures. */
import type { Account } from "../../core/phone/account.ts";
import { failbackModeOf } from "../../core/redundancy/failback.ts";

/** The next request goes to the primary of the first server that the account registers at. */
export function isHome(account: Account): boolean {
  const first = account.policy.servers.findIndex(({ register }) => register);
  const route = account.servers.route(Math.max(first, 0) + 1);
  if (account.workingServer !== route.index) return false;
  return route.current === 0 || failbackModeOf(route) === "newRequests";
}
