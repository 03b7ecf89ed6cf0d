/**
 * What a fleet of such phones does to a server: C22 and the storms of the field. Told with the numbers of `--phones`,
 * or for a thousand phones where the file alone is reason enough.
 */
import type { RedundancyPolicy, ServerPolicy } from "../redundancy/policy.ts";
import type { LintPad } from "./lint-pad.ts";

const UNSAID_PHONES = 1000;
/** REGISTERs a second, what a thousand phones send with 30 s between: more of one kind is a storm. */
const STORM = 1000 / 30;
/** A binding that lives longer than so many probes outlives the phone's stay. */
export const MANY_PROBES = 30;
const MOST_INTERVAL = 300;
/** Lifetimes that are advised: not below the one unless need be, and never above the other. */
const SHORT_LIFETIME = 600;
const LONG_LIFETIME = 86_400;

/** REGISTERs a second, of so many phones with one account as this. */
export interface FleetLoad {
  /** Renewals while all is well, at all servers together. */
  readonly refresh: number;
  /** Probes of server 1 while the phones are below it; 0: there are none. */
  readonly probe: number;
  /** Probes of the first outbound proxy while the phones use another; 0: there is no other. */
  readonly proxyProbe: number;
  /** When power returns, if every phone starts at one moment. */
  readonly start: number;
  /** Further tries while no server is up, at the longest wait. */
  readonly retry: number;
}

export function fleetLoad(policy: RedundancyPolicy, phones: number): FleetLoad {
  const { registration, servers, probeIntervalMs, backoff, startSurgeMs } = policy;
  const { proxies, proxyProbeIntervalMs } = policy;
  const kept = keptRegistrations(policy);
  const probing = registration === "successive" && servers.length > 1;
  // Uniform in [W/2, W]: three quarters of it, on the average.
  const waitMs = backoff.kind === "fixed" ? backoff.intervalMs : backoff.maxMs * 0.75;
  return {
    refresh: kept.reduce((sum, server) => sum + phones / refreshSeconds(server), 0),
    probe: probing ? (phones * 1000) / probeIntervalMs : 0,
    proxyProbe: proxies.length > 1 ? (phones * 1000) / proxyProbeIntervalMs : 0,
    start: (phones * kept.length) / Math.max(1, startSurgeMs / 1000),
    retry: kept.length === 0 ? 0 : (phones * 1000) / waitMs,
  };
}

export function lintLoad(pad: LintPad, policy: RedundancyPolicy): void {
  const phones = pad.phones ?? UNSAID_PHONES;
  const load = fleetLoad(policy, phones);
  const who = `${phones} phones`;
  // Our own dialect has jitter, and its laboratories are not fleets: there only a number that was named counts.
  if (pad.phones !== undefined || pad.dialect !== "native") {
    if (isProbeStorm(pad, policy)) {
      const wrong = `${who} that fell back send ${Math.round(load.probe)} REGISTERs a second to a server that returns`;
      // So that the lifetime at server 2 fits the new interval, too.
      const fitting = (policy.servers[1]?.expiresSeconds ?? 0) / MANY_PROBES;
      const least = Math.max(calmSeconds(phones), Math.ceil(Math.min(fitting, MOST_INTERVAL)));
      const longer = `${pad.write("probeIntervalMs", least * 1000)} or more`;
      const outlived = (policy.servers[1]?.expiresSeconds ?? least) < least;
      const lifetime = pad.write("servers.2.expiresSeconds", lifetimeOver(least));
      const remedy = outlived ? `${longer}, and ${lifetime}` : longer;
      pad.warn(["probeIntervalMs", "servers.2.address"], "probe-storm", wrong, remedy);
    }
    if (isStorm(load.proxyProbe)) {
      const wrong = `${who} that left the first outbound proxy send ${Math.round(load.proxyProbe)} REGISTERs a second to it`;
      const remedy = `${pad.write("proxyProbeIntervalMs", calmSeconds(phones) * 1000)} or more`;
      pad.warn(["proxyProbeIntervalMs", "proxies.2.address"], "probe-storm", wrong, remedy);
    }
    if (isStorm(load.refresh)) tellRefresh(pad, policy, phones, load.refresh);
  }
  if (pad.phones === undefined) return;
  if (isStorm(load.start)) {
    const least = calmSeconds(phones * keptRegistrations(policy).length);
    const remedy = pad.key("startSurgeMs")
      ? raise(
          pad,
          "startSurgeMs",
          policy.startSurgeMs,
          least,
          (parts) => `start the phones in ${parts} groups`,
        )
      : `start them in groups, over ${least} s or more`;
    const wrong = `when power returns, ${who} send ${Math.round(load.start)} REGISTERs within a second`;
    pad.warn(["startSurgeMs", "servers.1.address"], "start-storm", wrong, remedy);
  }
  if (isStorm(load.retry)) {
    const wrong = `${who} that found no server send ${Math.round(load.retry)} REGISTERs a second, and all to the first that returns`;
    const { backoff } = policy;
    const [field, now, least] =
      backoff.kind === "fixed"
        ? ["backoff", backoff.intervalMs, calmSeconds(phones)]
        : ["backoff.maxMs", backoff.maxMs, calmSeconds(phones / 0.75)];
    const remedy = raise(pad, field, now, least, divided);
    pad.warn(["backoff.maxMs", "backoff", "servers.1.address"], "retry-storm", wrong, remedy);
  }
}

/** The load of the probes is told: a shorter word on them need not be. */
export function isProbeStorm(pad: LintPad, policy: RedundancyPolicy): boolean {
  const counts = pad.phones !== undefined || pad.dialect !== "native";
  return counts && isStorm(fleetLoad(policy, pad.phones ?? UNSAID_PHONES).probe);
}

function tellRefresh(pad: LintPad, policy: RedundancyPolicy, phones: number, load: number): void {
  const kept = keptRegistrations(policy).map((server) => ({
    server,
    field: `servers.${policy.servers.indexOf(server) + 1}.expiresSeconds`,
  }));
  if (kept[0] === undefined || kept.some(({ field }) => pad.isWrong(field))) return;
  const wrong = `${phones} phones renew ${Math.round(load)} registrations a second while all is well`;
  const apart = calmSeconds(phones * kept.length);
  const raised = kept.flatMap(({ server, field }) => {
    const { overlapSeconds, expiresSeconds } = server;
    const least = overlapSeconds === "half" ? apart * 2 : apart + overlapSeconds;
    return least > expiresSeconds ? { field, seconds: Math.max(SHORT_LIFETIME, least) } : [];
  });
  const writes = new Set(
    raised.map(({ field, seconds }) => `${pad.write(field, seconds)} or more`),
  );
  let remedy = [...writes].join(", and ");
  if (raised.some(({ seconds }) => seconds > LONG_LIFETIME)) {
    const least = kept.reduce(
      (sum, { server }) =>
        sum + phones / refreshSeconds({ ...server, expiresSeconds: LONG_LIFETIME }),
      0,
    );
    remedy = `no lifetime up to a day ends this: ${divided(Math.max(2, Math.ceil(least / STORM)))}`;
  }
  pad.warn([kept[0].field], "refresh-storm", wrong, remedy);
}

/** So many seconds between the REGISTERs of one phone, or between their first and last, are no storm. */
function calmSeconds(registers: number): number {
  return Math.ceil(registers / STORM - 0.001);
}

function divided(parts: number): string {
  return `divide the phones over ${parts} times as many servers`;
}

/** A lifetime that neither ends between two probes nor outlives many. */
export function lifetimeOver(probeSeconds: number): number {
  return Math.max(probeSeconds, Math.min(3600, probeSeconds * 10));
}

/** A field's value that ends a storm; where its key takes none, the greatest and what else it needs. */
function raise(
  pad: LintPad,
  field: string,
  nowMs: number,
  leastSeconds: number,
  otherwise: (parts: number) => string,
): string {
  const mostMs = pad.most(field) ?? Number.POSITIVE_INFINITY;
  const leastMs = leastSeconds * 1000;
  if (leastMs <= mostMs) return `${pad.write(field, leastMs)}${leastMs < mostMs ? " or more" : ""}`;
  const rest = otherwise(Math.ceil(leastMs / mostMs));
  if (nowMs >= mostMs) return `${pad.key(field)} has no greater value that ends this: ${rest}`;
  return `${pad.write(field, mostMs)}, the most there is, and ${rest}`;
}

function isStorm(load: number): boolean {
  return load > STORM + 0.1;
}

/** Those that are alive at one time. */
function keptRegistrations({ registration, servers }: RedundancyPolicy): ServerPolicy[] {
  const registering = servers.filter(({ register }) => register);
  return registration === "successive" ? registering.slice(0, 1) : registering;
}

/** Between two renewals. A lifetime below the lead is renewed at half. */
export function refreshSeconds({ expiresSeconds, overlapSeconds }: ServerPolicy): number {
  const lead = overlapSeconds === "half" ? expiresSeconds / 2 : overlapSeconds;
  return lead < expiresSeconds ? expiresSeconds - lead : expiresSeconds / 2;
}
