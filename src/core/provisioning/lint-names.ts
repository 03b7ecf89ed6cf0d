/** Traps of names: resolvers that are waited for, answers that are not kept, records that no look-up comes to (C39). */
import type { AccountPolicy, RedundancyPolicy, ServerPolicy } from "../redundancy/policy.ts";
import type { LintPad } from "./lint-pad.ts";
import type { Settings } from "./settings.ts";
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

/** Only certain ones: where a name is asked for by SRV, live answers may lead anywhere. */
export function lintRecords(settings: Settings, accounts: readonly AccountPolicy[]): void {
  const asked = accounts.flatMap(({ redundancy }) => [
    ...redundancy.servers,
    ...redundancy.proxies,
  ]);
  const names = new Set(asked.map(({ address }) => address));
  if (asked.some(mayAskForSrv)) {
    lintTargets(settings, accounts, names);
    return;
  }
  for (const slot of settings.slots()) {
    const kind = /\.dns\.records\.(NAPTR|SRV|A)\.\d+\.name$/.exec(slot)?.[1];
    const name = settings.peek([slot]);
    if (kind === undefined || name === undefined) continue;
    if (kind === "A" && names.has(String(name.value))) continue;
    const wrong =
      kind === "A"
        ? "no server or proxy has this name, so the record is never used"
        : `every server has a port or is an address, so that no ${kind} record is asked for`;
    const remedy =
      kind === "A" ? "name the server so, or delete the record" : "delete the ports, or the record";
    settings.warn(name.origin, "unused-record", wrong, remedy);
  }
}

/** Where the file has the SRV records itself, an address that none of them leads to is most likely misspelt. */
function lintTargets(
  settings: Settings,
  accounts: readonly AccountPolicy[],
  servers: ReadonlySet<string>,
): void {
  const records = accounts.flatMap(({ redundancy }) => redundancy.dns.records);
  const targets = records.flatMap((record) => (record.type === "SRV" ? [record.target] : []));
  const incomplete = settings.faults.some(({ code }) => code === "incomplete-record");
  if (targets.length === 0 || incomplete) return;
  for (const slot of settings.slots()) {
    if (!/\.dns\.records\.A\.\d+\.name$/.test(slot)) continue;
    const name = settings.peek([slot]);
    const host = String(name?.value);
    if (name === undefined || servers.has(host) || targets.includes(host)) continue;
    const wrong = "no server, proxy or static SRV record has this name";
    const remedy = "write the target of an SRV record, or delete the record";
    settings.warn(name.origin, "unused-record", wrong, remedy);
  }
}

function mayAskForSrv({ address, port, transport }: ServerPolicy): boolean {
  return !isLiteral(address) && (port === 0 || transport === "naptr");
}
