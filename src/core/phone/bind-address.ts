/** Where a phone stands when nobody says it. */
import type { AccountPolicy } from "../redundancy/policy.ts";

/**
 * All addresses of one family, since a phone speaks one: of IPv6 where every server and outbound proxy is written as an
 * IPv6 address, of IPv4 otherwise.
 */
export function bindAddressFor(accounts: readonly AccountPolicy[]): string {
  const hops = accounts.flatMap(({ redundancy }) => [...redundancy.servers, ...redundancy.proxies]);
  return hops.length > 0 && hops.every(({ address }) => address.includes(":")) ? "::" : "0.0.0.0";
}
