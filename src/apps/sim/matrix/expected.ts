/**
 * What the phone has to do in each cell, from the rules and the policy alone: nothing here looks at the engine. R are
 * the rules of the RFCs, V and C what the makers and the field say; docs/fault-matrix.md tells them for each fault.
 */
import { type Cell, isAnswer, isDnsFault, isStream } from "./axes.ts";
import { RETRY_AFTER_SECONDS, type Setting } from "./setting.ts";
import type { MatrixVerdict, Step } from "./verdict.ts";

/** With 3 retries four sends, each followed by its wait: T1, 2·T1, 4·T1, 8·T1 (V3). */
const SENDS = 4;
const PATIENCE_IN_T1 = 15;
/** RFC 8767 §5: what stands in the cache serves after so long. */
const STALE_SERVES_MS = 1800;
/** The makers' sub_fail_retry_interval. */
const SUBSCRIBE_AGAIN_SECONDS = 30;
/** A binding goes with its flow, and is made anew at once (C11, C32). */
const REGISTERS_ANEW = "registers anew";

/** How the primary meets one request. */
interface Meeting {
  readonly how: string;
  readonly afterMs: number;
}

export function expectedVerdict(cell: Cell, setting: Setting): MatrixVerdict {
  const steps = isDnsFault(cell) ? withoutDns(cell, setting) : atPrimary(cell, setting);
  return hangsUp(cell) ? [at(0, REGISTERS_ANEW), ...steps] : steps;
}

function atPrimary(cell: Cell, setting: Setting): Step[] {
  const { fault, method } = cell;
  const met = meeting(cell, setting, hangsUp(cell));
  switch (method) {
    case "REGISTER":
      return isAnswer(fault)
        ? [at(0, `primary ${met.how}`), ...unregistered(0)]
        : [...goesOn(cell, met, "registered"), ...lateAnswer(cell, setting)];
    case "SUBSCRIBE":
      return subscribes(cell, setting, met);
    case "BYE": {
      // Over for the user at once, whatever becomes of the BYE (RFC 3261 §15.1.1, R13).
      const over = at(0, "call over");
      return isAnswer(fault)
        ? [over, at(0, `primary ${met.how}`)]
        : [over, ...goesOn(cell, met), ...lateAnswer(cell, setting)];
    }
    case "INVITE":
      // A call that the primary answers after all is acknowledged and ended there (RFC 3261 §13.2.2.4).
      return isAnswer(fault)
        ? [at(0, `primary ${met.how}`), at(0, `call over: ${met.how}`)]
        : [...goesOn(cell, met, "call up"), ...lateAnswer(cell, setting, "primary BYE")];
    case "OPTIONS":
      return isAnswer(fault)
        ? [at(0, `primary ${met.how}`), at(0, `told ${met.how}`)]
        : [...goesOn(cell, met, "told 200"), ...lateAnswer(cell, setting)];
  }
}

/** The primary has failed, and the same request goes to the secondary at once (R3, R69, R70, R71). */
function goesOn(cell: Cell, met: Meeting, ...good: readonly string[]): Step[] {
  const bound = cell.method !== "REGISTER" && losesFlow(cell) ? [REGISTERS_ANEW] : [];
  const left = `primary ${met.how}`;
  const whats = resets(cell) ? [...bound, left] : [left, ...bound];
  return [...whats, "secondary 200", ...good].map((what) => at(met.afterMs, what));
}

/**
 * A subscription is where the registration is (C1): when its refresh finds nobody the dialog is over (R13), the account
 * registers anew, and a new dialog is made where it stands then (C26). Refusals of its own do not move it.
 */
function subscribes(cell: Cell, setting: Setting, met: Meeting): Step[] {
  const { fault } = cell;
  const asked = at(met.afterMs, `primary ${met.how}`);
  if (fault === "503-later") return [asked, at(0, `again in ${RETRY_AFTER_SECONDS} s`)];
  const again = at(0, `again in ${SUBSCRIBE_AGAIN_SECONDS} s`);
  if (fault === "503" || fault === "500") return [asked, again];
  // R13: the new dialog is refused as the old one was.
  if (fault === "408") return [asked, at(0, "dialog over"), asked, again];
  const registering = meeting({ ...cell, method: "REGISTER" }, setting, true);
  const moved = (ms: number): Step[] => [at(ms, "secondary 200"), at(ms, "subscribed")];
  // The REGISTER that the lost connection has caused is waited for: nothing is asked of the primary.
  if (hangsUp(cell)) return moved(registering.afterMs);
  const bound = losesFlow(cell) && isStream(cell) ? [at(met.afterMs, REGISTERS_ANEW)] : [];
  return [
    ...(resets(cell) ? [...bound, asked] : [asked, ...bound]),
    at(met.afterMs, "dialog over"),
    ...moved(met.afterMs + registering.afterMs),
    ...lateAnswer(cell, setting),
  ];
}

/** Inside a dialog no name is looked up; others are served from the cache, once the resolver has had its chance. */
function withoutDns(cell: Cell, setting: Setting): Step[] {
  const { fault, method } = cell;
  if (method === "BYE") return [at(0, "call over"), at(0, "primary 200")];
  if (method === "SUBSCRIBE") return [at(0, "primary 200"), at(0, "subscribed")];
  if (fault === "dns-lies") return atStranger(cell);
  if (method === "REGISTER") return bootsWithoutDns(setting);
  const good = method === "INVITE" ? "call up" : "told 200";
  return [at(STALE_SERVES_MS, "primary 200"), at(STALE_SERVES_MS, good)];
}

/**
 * Nothing is cached, so the next server serves (C39): the fallback has a literal address and is there at once. A is
 * asked for three times; a phone on IPv4 asks for nothing else.
 */
function bootsWithoutDns(setting: Setting): Step[] {
  const silentMs = 3 * setting.dnsTimeoutMs;
  return [
    at(0, "fallback 200"),
    at(0, "registered"),
    at(silentMs, "server 1 has no address"),
    ...unregistered(silentMs),
  ];
}

/** Only TLS tells a stranger from a friend (R104): what he answers counts (C19), his certificate does not. */
function atStranger({ method, transport }: Cell): Step[] {
  const how = transport === "tls" ? "tls" : "404";
  const met = at(0, `stranger ${how}`);
  if (method === "REGISTER") return [met, ...unregistered(0)];
  const calls = method === "INVITE";
  if (how === "404") return [met, at(0, calls ? "call over: 404" : "told 404")];
  return [met, at(0, "fallback 200"), at(0, calls ? "call up" : "told 200")];
}

/** In concurrent registration the fallback stands registered, and is the working server from now on (C8). */
function unregistered(afterMs: number): Step[] {
  return [at(afterMs, "not registered there"), at(afterMs, "fallback in charge")];
}

/** @param anew over a connection that has to be made first. */
function meeting({ fault, transport }: Cell, setting: Setting, anew: boolean): Meeting {
  const stream = transport !== "udp";
  const patienceMs = PATIENCE_IN_T1 * setting.t1Ms;
  // Nothing is resent over a connection (R36, R39), and its silence is borne as long (C12, C15).
  const silence = stream ? "timeout" : `×${SENDS} timeout`;
  const unmadeMs = Math.min(patienceMs, setting.connectMs);
  switch (fault) {
    case "drop":
      return { how: silence, afterMs: stream && anew ? unmadeMs : patienceMs };
    case "mute":
      // The host accepts TCP by itself; handshakes are for the process that hangs.
      return { how: silence, afterMs: stream && transport !== "tcp" ? unmadeMs : patienceMs };
    case "slow":
      return { how: silence, afterMs: patienceMs };
    case "icmp":
      return { how: "unreachable", afterMs: 0 };
    case "rst":
      return { how: "refused", afterMs: 0 };
    case "503-later":
      return { how: "503", afterMs: 0 };
    default:
      return { how: fault, afterMs: 0 };
  }
}

/**
 * What stood is reset: the binding is made anew, and the request goes to the same place over a new connection, once
 * (C34), which is refused here.
 */
function resets(cell: Cell): boolean {
  return isStream(cell) && cell.fault === "rst";
}

/** What was left goes on being listened to. */
function lateAnswer({ fault }: Cell, { slowMs }: Setting, ...deeds: readonly string[]): Step[] {
  if (fault !== "slow") return [];
  return ["primary late 200", ...deeds].map((what) => at(slowMs, what));
}

/** The connection has ended before the request is sent. */
function hangsUp(cell: Cell): boolean {
  return isStream(cell) && (cell.fault === "icmp" || cell.fault === "mute");
}

/** The request finds out that the flow it went over is dead: by ICMP (R49), by a reset, or by silence (C33). */
function losesFlow(cell: Cell): boolean {
  if (hangsUp(cell)) return false;
  const { fault } = cell;
  if (fault === "icmp" || fault === "rst") return true;
  return isStream(cell) && (fault === "drop" || fault === "slow");
}

function at(atMs: number, what: string): Step {
  return { what, atMs };
}
