/**
 * Delta debugging over a drawn plan: whatever can go is taken away, as long as the same promise is broken in the same
 * way. Plans are plain data, so a smaller one is played as it is.
 */
import type { AccountPolicy, RedundancyPolicy } from "../../../core/redundancy/policy.ts";
import {
  ACCOUNT_DEFAULTS,
  POLICY_DEFAULTS,
  SERVER_DEFAULTS,
} from "../../../core/redundancy/policy-defaults.ts";
import type { Violation } from "../../../worlds/sim/invariants/invariant.ts";
import type { SwarmPlan } from "../swarm/plan.ts";
import { runPlan, type SwarmWatch } from "../swarm/run.ts";

export interface Shrunk {
  readonly plan: SwarmPlan;
  /** What the smaller plan breaks. */
  readonly violation: Violation;
  readonly runs: number;
}

/** Runs that shrinking may take. */
const MOST_RUNS = 400;
/** A storm is not made shorter than this. */
const SHORTEST_STORM_MS = 5000;

type Cut = (plan: SwarmPlan) => SwarmPlan | undefined;

/** @param watch how it is judged. @returns undefined if the plan breaks nothing. */
export function shrinkPlan(plan: SwarmPlan, watch: SwarmWatch = {}): Shrunk | undefined {
  const violation = runPlan(plan, watch).violations[0];
  if (violation === undefined) return undefined;
  const kind = kindOf(violation);
  let best: Shrunk = { plan, violation, runs: 1 };
  let runs = 1;
  const attempt = (cut: Cut): boolean => {
    const smaller = runs < MOST_RUNS ? cut(best.plan) : undefined;
    if (smaller === undefined) return false;
    runs += 1;
    const broken = runPlan(smaller, watch).violations.find((one) => kindOf(one) === kind);
    if (broken !== undefined) best = { plan: smaller, violation: broken, runs };
    return broken !== undefined;
  };
  for (let again = true; again; ) {
    again = false;
    for (const cut of cutsOf(best.plan)) again = attempt(cut) || again;
  }
  return { ...best, runs };
}

/** The same promise, broken in the same words: names and numbers aside. */
function kindOf({ invariant, what }: Violation): string {
  return `${invariant} ${what.replace(/\S*\d\S*/g, "…")}`;
}

/** Large cuts first. Those that change nothing are left out, so that there is an end. */
function cutsOf(plan: SwarmPlan): Cut[] {
  const { faults, calls, restarts, accounts, targets } = plan;
  return [
    () => (faults.length > 1 ? { ...plan, faults: [] } : undefined),
    ...backwards(faults.length, (at) => (now) => {
      return at < now.faults.length ? { ...now, faults: without(now.faults, at) } : undefined;
    }),
    ...backwards(calls.length, (at) => (now) => {
      return at < now.calls.length ? { ...now, calls: without(now.calls, at) } : undefined;
    }),
    ...backwards(restarts.length, (at) => (now) => {
      return at < now.restarts.length ? { ...now, restarts: without(now.restarts, at) } : undefined;
    }),
    ...backwards(accounts.length, (at) => (now) => withoutAccount(now, at)),
    apart,
    ...backwards(targets.length, (at) => (now) => withoutServer(now, at)),
    withoutProxies,
    changed("ringMs", 0),
    changed("authenticated", true),
    changed("patient", false),
    changed("network", { latencyMs: [2.5, 2.5], loss: 0, duplication: 0 }),
    (now) => {
      const stormMs = Math.max(SHORTEST_STORM_MS, Math.round(now.stormMs / 2));
      return stormMs < now.stormMs ? { ...now, stormMs } : undefined;
    },
    ...switchesOf(plan),
  ];
}

function switchesOf({ accounts }: SwarmPlan): Cut[] {
  const fields = Object.keys(POLICY_DEFAULTS.native) as (keyof RedundancyPolicy)[];
  const plain = fields.filter((field) => !["registration", "proxies"].includes(field));
  const [first] = accounts;
  const servers = first?.redundancy.servers ?? [];
  return [
    everyPolicy((policy) => ({ ...policy, ...pick(plain) })),
    ...plain.map((field) => everyPolicy((policy) => ({ ...policy, ...pick([field]) }))),
    ...Object.keys(SERVER_DEFAULTS.native)
      .filter((field) => !["port", "transport", "features", "register"].includes(field))
      .flatMap((field) => servers.map((_, at) => serverDefault(field, at))),
    everyAccount((account) => ({ ...account, ...callDefaults(account) })),
  ];
}

function pick(fields: readonly (keyof RedundancyPolicy)[]): Partial<RedundancyPolicy> {
  const standard: Partial<RedundancyPolicy> = POLICY_DEFAULTS.native;
  return Object.fromEntries(fields.map((field) => [field, standard[field]]));
}

function callDefaults(account: AccountPolicy): Omit<AccountPolicy, "redundancy"> {
  const { index, enabled, user, authName, password, domain } = account;
  return { ...ACCOUNT_DEFAULTS, index, enabled, user, authName, password, domain };
}

function serverDefault(field: string, at: number): Cut {
  const value = Object.entries(SERVER_DEFAULTS.native).find(([name]) => name === field)?.[1];
  return everyPolicy((policy) => ({
    ...policy,
    servers: policy.servers.map((server, position) =>
      position === at ? { ...server, [field]: value } : server,
    ),
  }));
}

function everyPolicy(change: (policy: RedundancyPolicy) => RedundancyPolicy): Cut {
  return everyAccount((account) => ({ ...account, redundancy: change(account.redundancy) }));
}

function everyAccount(change: (account: AccountPolicy) => AccountPolicy): Cut {
  return (plan) => {
    const accounts = plan.accounts.map(change);
    const same = JSON.stringify(accounts) === JSON.stringify(plan.accounts);
    return same ? undefined : { ...plan, accounts };
  };
}

function changed<Key extends keyof SwarmPlan>(key: Key, value: SwarmPlan[Key]): Cut {
  return (plan) => {
    const same = JSON.stringify(plan[key]) === JSON.stringify(value);
    return same ? undefined : { ...plan, [key]: value };
  };
}

/** One that calls or is called stays, and one whose phone loses its power. */
function withoutAccount(plan: SwarmPlan, at: number): SwarmPlan | undefined {
  const { accounts, phones, calls, restarts } = plan;
  const called = calls.some(({ from, to }) => from === at || to === at);
  const used = called || restarts.some(({ phone }) => phone === phones[at]);
  if (at >= accounts.length || used || accounts.length < 2) return undefined;
  const moved = (account: number): number => (account > at ? account - 1 : account);
  const left = without(phones, at);
  const standing = [...new Set(left)];
  return {
    ...plan,
    accounts: without(accounts, at),
    phones: left.map((phone) => standing.indexOf(phone)),
    calls: calls.map((call) => ({ ...call, from: moved(call.from), to: moved(call.to) })),
    restarts: restarts.map((restart) => ({ ...restart, phone: standing.indexOf(restart.phone) })),
  };
}

/** Each on a phone of its own; what befell a phone befalls the one of its first account. */
function apart(plan: SwarmPlan): SwarmPlan | undefined {
  const { accounts, phones, restarts } = plan;
  if (new Set(phones).size === phones.length) return undefined;
  return {
    ...plan,
    phones: accounts.map((_, at) => at),
    restarts: restarts.map((restart) => ({ ...restart, phone: phones.indexOf(restart.phone) })),
  };
}

function withoutServer(plan: SwarmPlan, at: number): SwarmPlan | undefined {
  const gone = new Set(plan.targets[at]);
  if (gone.size === 0 || plan.targets.length < 2) return undefined;
  const left = plan.servers.filter(({ address }) => !gone.has(address));
  return standingAt(left, {
    ...plan,
    targets: without(plan.targets, at),
    places: { ...plan.places, servers: without(plan.places.servers, at) },
    accounts: plan.accounts.map((account) => ({
      ...account,
      redundancy: { ...account.redundancy, servers: without(account.redundancy.servers, at) },
    })),
  });
}

function withoutProxies(plan: SwarmPlan): SwarmPlan | undefined {
  if (plan.places.proxies.length === 0) return undefined;
  const behind = new Set(plan.targets.flat());
  const left = plan.servers.filter(({ address }) => behind.has(address));
  return standingAt(left, {
    ...plan,
    places: { ...plan.places, proxies: [] },
    accounts: plan.accounts.map((account) => ({
      ...account,
      redundancy: { ...account.redundancy, proxies: [] },
    })),
  });
}

/** What befell a server that is not there befalls nobody. */
function standingAt(servers: SwarmPlan["servers"], plan: SwarmPlan): SwarmPlan {
  const names = new Set(servers.map(({ name }) => name));
  const faults = plan.faults.filter(({ server }) => server === undefined || names.has(server));
  return { ...plan, servers, faults };
}

function without<Item>(items: readonly Item[], at: number): Item[] {
  return items.filter((_, index) => index !== at);
}

function backwards(count: number, of: (at: number) => Cut): Cut[] {
  return Array.from({ length: count }, (_, index) => of(count - 1 - index));
}
