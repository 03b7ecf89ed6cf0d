/**
 * Where servers are, for all phones of a machine. What left nothing to chance is the same for each of them until its
 * records run out: a fleet looks a name up once in that time, not at each renewal of each phone.
 */
import type { Inquiries, Inquiry } from "../inquiry.ts";
import { type LocateContext, locateServer } from "../locate/locate.ts";
import type { Located } from "../locate/located.ts";
import type { NameService } from "../locate/name-service.ts";
import type { SipTransport } from "../locate/naptr.ts";
import { type Instant, NEVER, type Target } from "../machine.ts";
import type { Entropy } from "../primitives.ts";
import type { DnsPolicy, RedundancyPolicy, ServerPolicy } from "../redundancy/policy.ts";
import { targetName } from "../redundancy/server-health.ts";
import type { ResolvedHop } from "../redundancy/server-set.ts";
import { MAX_SHARED_TARGETS } from "./limits.ts";

export type Resolved = (now: Instant, hops: readonly ResolvedHop[]) => void;

/** What a phone can speak. */
export interface Speech {
  readonly supported: readonly SipTransport[];
  /** Where it stands: it reaches addresses of that family. */
  readonly bindAddress: string;
}

interface Kept {
  readonly policy: RedundancyPolicy;
  readonly supported: readonly SipTransport[];
  readonly families: LocateContext["families"];
  readonly hops: readonly ResolvedHop[];
  readonly expiresAt: Instant;
}

export class Resolutions {
  readonly #inquiries: Inquiries;
  readonly #entropy: Entropy;
  readonly #names: (policy: DnsPolicy) => NameService;
  readonly #targets = new Map<string, Target>();
  readonly #byServer = new Map<ServerPolicy, Kept>();

  /** @param names look-ups as a policy wants them. */
  constructor(inquiries: Inquiries, entropy: Entropy, names: (policy: DnsPolicy) => NameService) {
    this.#inquiries = inquiries;
    this.#entropy = entropy;
    this.#names = names;
  }

  resolve(
    now: Instant,
    hops: readonly ServerPolicy[],
    policy: RedundancyPolicy,
    { supported, bindAddress }: Speech,
    resolved: Resolved,
  ): void {
    const families = familiesFrom(bindAddress);
    const alone = hops.length === 1 ? hops[0] : undefined;
    const kept = alone === undefined ? undefined : this.#byServer.get(alone);
    const same =
      kept?.policy === policy && kept.supported === supported && kept.families === families;
    if (same && kept.expiresAt > now) {
      resolved(now, kept.hops);
      return;
    }
    const context: LocateContext = {
      clock: this.#inquiries,
      entropy: this.#entropy,
      names: this.#names(policy.dns),
      supported,
      srvOrder: policy.srvOrder,
      srvTransports: policy.srvTransports,
      families,
    };
    this.#inquiries.start(now, locateAll(hops, context), (at, located) => {
      const found = located.map((one) => this.#resolvedHop(one));
      const hop = found[0];
      if (alone !== undefined && hop !== undefined && policy.dns.cache && isCertain(hop)) {
        if (this.#byServer.size >= MAX_SHARED_TARGETS) this.#byServer.clear();
        const { expiresAt } = hop;
        this.#byServer.set(alone, { policy, supported, families, hops: found, expiresAt });
      }
      resolved(at, found);
    });
  }

  #resolvedHop(located: Located): ResolvedHop {
    if (located.kind === "failed") return { targets: [], why: located.why, expiresAt: NEVER };
    const targets = located.targets.map(({ target, expiresAt, rank }) => ({
      target: this.#sameTarget(target),
      expiresAt,
      rank,
    }));
    return { targets, expiresAt: located.expiresAt };
  }

  /** The one object that stands for all equal targets: the phones of a fleet have few servers between them. */
  #sameTarget(target: Target): Target {
    const key = `${targetName(target)} ${target.domain ?? ""}`;
    const known = this.#targets.get(key);
    if (known !== undefined) return known;
    if (this.#targets.size >= MAX_SHARED_TARGETS) this.#targets.clear();
    this.#targets.set(key, target);
    return target;
  }
}

const IPV4: LocateContext["families"] = ["ipv4"];
const IPV6: LocateContext["families"] = ["ipv6"];
const BOTH: LocateContext["families"] = ["ipv4", "ipv6"];

/** From `::` connections lead to addresses of either family. */
function familiesFrom(bindAddress: string): LocateContext["families"] {
  if (!bindAddress.includes(":")) return IPV4;
  return bindAddress === "::" ? BOTH : IPV6;
}

function* locateAll(hops: readonly ServerPolicy[], context: LocateContext): Inquiry<Located[]> {
  const all: Located[] = [];
  for (const hop of hops) all.push(yield* locateServer(hop, context));
  return all;
}

/** There is a place, and no two whose order was drawn. */
function isCertain({ targets }: ResolvedHop): boolean {
  return targets.length > 0 && new Set(targets.map(({ rank }) => rank)).size === targets.length;
}
