/** Traps of names: resolvers that are waited for, answers that are not kept (C39). */
import type { RedundancyPolicy } from "../redundancy/policy.ts";
import type { LintPad } from "./lint-pad.ts";
import { isLiteral } from "./value-form.ts";

/** As long as a request may last (64·T1). */
const SLOW_DNS_MS = 32_000;

export function lintNames(pad: LintPad, policy: RedundancyPolicy): void {
  const { servers, proxies, dns } = policy;
  if (![...servers, ...proxies].some(({ address }) => !isLiteral(address))) return;
  const waitMs = dns.timeoutMs * (dns.retries + 1);
  if (waitMs > SLOW_DNS_MS) {
    const wrong = `a resolver that is silent is waited for ${waitMs / 1000} s`;
    const remedy = pad.write("dns.timeoutMs", 3000) ?? "write a shorter time";
    pad.warn(["dns.timeoutMs", "dns.retries"], "slow-dns", wrong, remedy);
  }
  if (!dns.cache && pad.origin("dns.cache") !== undefined) {
    const wrong = "each call asks the DNS anew, so that none gets through while it is down";
    const remedy = pad.write("dns.cache", true) ?? `write ${pad.key("dns.cache")} = 1`;
    pad.warn(["dns.cache"], "no-dns-cache", wrong, remedy);
  }
}
