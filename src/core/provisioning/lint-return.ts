/** Traps on the way back to the working server, and of paths that nobody keeps open (vendors' failback modes). */
import type { RedundancyPolicy, ServerPolicy } from "../redundancy/policy.ts";
import { isProbeStorm, lifetimeOver, MANY_PROBES, refreshSeconds } from "./lint-load.ts";
import type { LintPad } from "./lint-pad.ts";
import { isLiteral } from "./value-form.ts";

/** A binding that lives MANY_PROBES is told; beyond this number it is more than a surprise. */
const TOO_MANY_PROBES = 60;
const LATE_MS = 4 * 3_600_000;
/** What a NAT keeps at the least (RFC 4787 §4.3). Connections are kept longer, and yet die unnoticed (C31, C32). */
const PATIENT_NAT_MS = 120_000;
const PATIENT_CONNECTION_MS = 300_000;

export function lintReturn(pad: LintPad, policy: RedundancyPolicy): void {
  for (const check of CHECKS) check(pad, policy);
}

type Check = (pad: LintPad, policy: RedundancyPolicy) => void;

/** The clock of the probe against the lifetime of a binding, both ways round. */
const probeAgainstExpiry: Check = (pad, policy) => {
  const { registration, servers, probeIntervalMs } = policy;
  const below = servers[1];
  if (registration !== "successive" || below === undefined) return;
  // What ends the storm of the probes fits the lifetime, too.
  if (pad.isWrong("servers.2.expiresSeconds") || isProbeStorm(pad, policy)) return;
  const { expiresSeconds } = below;
  const probe = probeIntervalMs / 1000;
  const fields = ["probeIntervalMs", "servers.2.address"];
  if (probe > expiresSeconds) {
    const wrong = `server 1 is looked for every ${probe} s, and server 2 is registered at anew every ${expiresSeconds} s at least`;
    const shorter = { ...policy, probeIntervalMs: Math.min(120, expiresSeconds) * 1000 };
    const remedy = isProbeStorm(pad, shorter)
      ? `${pad.write("servers.2.expiresSeconds", lifetimeOver(probe))}`
      : `${pad.write("probeIntervalMs", shorter.probeIntervalMs)}`;
    pad.warn(fields, "probe-against-expiry", wrong, remedy);
    return;
  }
  if (expiresSeconds <= MANY_PROBES * probe) return;
  const wrong = `server 2 keeps its binding for ${expiresSeconds} s and the phone may be back after ${probe} s`;
  const remedy = `${pad.write("servers.2.expiresSeconds", Math.max(30, probe * 10))}`;
  // The binding is removed on return if server 2 can be reached then: within reason that is a word to the wise.
  if (expiresSeconds > TOO_MANY_PROBES * probe) {
    pad.warn(fields, "probe-against-expiry", wrong, remedy);
  } else pad.note(fields, "probe-against-expiry", wrong, remedy);
};

/** C3: the return by time comes after most of a working day. */
const lateReturn: Check = (pad, policy) => {
  const { registration, servers, proxies, probeIntervalMs, proxyProbeIntervalMs } = policy;
  const probing = registration === "successive" && servers.length > 1;
  const expires = (servers[1]?.expiresSeconds ?? 0) * 1000;
  if (probing && probeIntervalMs <= expires) tellLate(pad, "probeIntervalMs", probeIntervalMs);
  if (proxies.length > 1) tellLate(pad, "proxyProbeIntervalMs", proxyProbeIntervalMs);
  for (const list of ["servers", "proxies"] as const) {
    policy[list].forEach(({ address, failbackMode, failbackSeconds }, at) => {
      const timed = failbackMode === "duration" && !isLiteral(address);
      if (timed) tellLate(pad, `${list}.${at + 1}.failbackSeconds`, failbackSeconds * 1000);
    });
  }
};

function tellLate(pad: LintPad, field: string, ms: number): void {
  if (ms <= LATE_MS || pad.origin(field) === undefined) return;
  const wrong = `the phone stays with the lesser server for up to ${(ms / 3_600_000).toFixed(1)} h`;
  const hour = field.endsWith("Ms") ? 3_600_000 : 3600;
  pad.warn([field], "late-return", wrong, `${pad.write(field, hour)} or less`);
}

/** Modes 1–3 wait for an idle phone, and an attendant's never is. */
const neverIdle: Check = (pad, { idleWaitMaxMs, servers }) => {
  const waits = servers.some(
    ({ address, failbackMode }) => failbackMode !== "newRequests" && !isLiteral(address),
  );
  if (idleWaitMaxMs > 0 || !waits || pad.origin("idleWaitMaxMs") === undefined) return;
  const wrong = "with 0 a phone that is never without a call never goes back";
  pad.note(["idleWaitMaxMs"], "never-idle", wrong, `${pad.write("idleWaitMaxMs", 3_600_000)}`);
};

/** C11, C31: without traffic a dead path is found at the next renewal only, and a NAT closes it. */
const silentPath: Check = (pad, policy) => {
  const { keepAliveMs, registrarProbeMs, servers, proxies } = policy;
  let silentMs = 0;
  for (const server of servers.filter(({ register }) => register)) {
    const sent = [keepAliveMs, registrarProbeMs, refreshSeconds(server) * 1000];
    const quietMs = Math.min(...sent.filter((ms) => ms > 0));
    const paths = server.throughProxy && proxies.length > 0 ? proxies : [server];
    const patientMs = paths.some(isByDatagram) ? PATIENT_NAT_MS : PATIENT_CONNECTION_MS;
    if (quietMs > patientMs) silentMs = Math.max(silentMs, quietMs);
  }
  if (silentMs === 0) return;
  const off = pad.origin("keepAliveMs")?.key;
  const remedy = off?.endsWith("_enable")
    ? `write ${off} = 1`
    : `${pad.write("keepAliveMs", 30_000)}`;
  const late = Math.round(silentMs / 1000);
  if (keepAliveMs === 0) {
    const wrong = `with no keep-alive a dead server is noticed up to ${late} s late`;
    pad.warn(["keepAliveMs"], "no-keepalive", wrong, remedy);
  } else {
    const next = silentMs < keepAliveMs ? "renewal" : "keep-alive";
    const wrong = `a NAT forgets a path before ${late} s, and no call comes in until the next ${next}`;
    pad.warn(["keepAliveMs"], "slow-keepalive", wrong, remedy);
  }
};

/** Over UDP, or over what the DNS says, which may be UDP. */
function isByDatagram({ transport }: ServerPolicy): boolean {
  return transport === "udp" || transport === "naptr";
}

const CHECKS: readonly Check[] = [probeAgainstExpiry, lateReturn, neverIdle, silentPath];
