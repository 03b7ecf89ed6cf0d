/** A forecast, the bounds, the keys and the traps of a configuration, in plain words and as JSON objects. */
import type { Fault, PhoneConfiguration, Reading } from "../../core/provisioning/configuration.ts";
import { formatFinding } from "../../core/provisioning/fault.ts";
import type { AccountPolicy, ServerPolicy } from "../../core/redundancy/policy.ts";
import { hostText } from "../../core/server/domains.ts";
import type { SimulatedEvent } from "../../worlds/sim/simulation.ts";
import type { Forecast, Prediction, Spread } from "./predict.ts";
import type { FaultName } from "./rehearsal.ts";

/** What a fault does to a server, after its name. */
export const FAULT_WORDS: Readonly<Record<FaultName, string>> = {
  closed: "is gone (its port is closed)",
  silent: "falls silent",
  "503": "answers 503 to everything",
};
const HUNG_WORDS = "hangs, its port still open";

const LABEL_WIDTH = 56;
const FIGURE_WIDTH = 10;
const UNFELT_MS = 100;

/** What one account is, and what becomes of it. */
export function forecastLines(forecast: Forecast): string[] {
  const { account, bounds, predictions, registersPerHour, standing } = forecast;
  const lines = [...accountLines(account), ""];
  if (!standing) {
    return [
      ...lines,
      "It registers nowhere even while every server is up, so nothing can be foretold.",
    ];
  }
  const renewals = registersPerHour === 1 ? "REGISTER" : "REGISTERs";
  lines.push(`While all is well: ${registersPerHour} ${renewals} an hour.`, "");
  for (const prediction of predictions) lines.push(...predictionLines(prediction), "");
  lines.push(
    "Bounds, from the policy alone, while the network loses nothing and the resolver answers:",
    `  B  registered again after at most                ${secondsWords(bounds.registeredMs)}`,
    `  F  on the primary again after at most            ${secondsWords(bounds.homeMs)}`,
    `  S  REGISTERs in any minute, resends included     ${bounds.registersPerMinute}`,
    `  C  a call is answered or refused within          ${secondsWords(bounds.callMs)}`,
    "",
  );
  return lines;
}

function accountLines({ index, user, domain, redundancy }: AccountPolicy): string[] {
  const { servers, proxies, registration, probeIntervalMs } = redundancy;
  const lines = [`Account ${index}: ${user}${domain === undefined ? "" : `@${domain}`}`];
  servers.forEach((server, at) => {
    lines.push(`  server ${at + 1}: ${serverWords(server)}`);
  });
  proxies.forEach((proxy, at) => {
    lines.push(`  outbound proxy ${at + 1}: ${placeOf(proxy)}`);
  });
  const probing =
    servers.length < 2 || registration === "concurrent"
      ? ""
      : `; below server 1 it tries to register there each ${secondsWords(probeIntervalMs)}`;
  lines.push(`  ${registration} registration${probing}`);
  return lines;
}

function serverWords(server: ServerPolicy): string {
  const { features, register, expiresSeconds, registerRetries, inviteRetries } = server;
  const { failbackMode, failbackSeconds } = server;
  const role = features === "full" ? "everything" : "basic calls";
  const registering = register ? `registers for ${expiresSeconds} s` : "does not register";
  const after = failbackMode === "duration" ? ` ${failbackSeconds} s` : "";
  return (
    `${placeOf(server)} (${role}), ${registering}, resends REGISTER ${registerRetries} and ` +
    `INVITE ${inviteRetries} times, failback ${failbackMode}${after}`
  );
}

function placeOf({ address, port, transport }: ServerPolicy): string {
  return `${port === 0 ? address : `${hostText(address)}:${port}`} over ${transport}`;
}

function predictionLines(prediction: Prediction): string[] {
  const { victim, fault, hangs, fullService, decisions } = prediction;
  const when = `When ${victim} ${hangs ? HUNG_WORDS : FAULT_WORDS[fault]}:`;
  if (isUnfelt(prediction))
    return [when, "  nothing changes: calls go through at once, and it stays registered"];
  const heads = ["median", "95 %", "worst"].map((word) => word.padStart(FIGURE_WIDTH));
  const lines = [
    `${when.padEnd(LABEL_WIDTH + 2)}${heads.join("")}`,
    row("the next call is answered after", prediction.firstCall),
    row("the one after it", prediction.nextCall),
    row("registered again after", prediction.registered),
  ];
  if (fullService !== undefined) lines.push(row("at a working server again after", fullService));
  lines.push(row("calls to it do not reach it for", prediction.unreachable));
  if (prediction.back.worst === 0) lines.push("  once it is back, the next request goes there");
  else lines.push(row("once it is back, requests go there after", prediction.back));
  const reasons = new Set(decisions.map(decisionWords));
  for (const reason of reasons) lines.push(`    ${reason}`);
  return lines;
}

/** A server that is not in use has died. */
function isUnfelt({
  firstCall,
  nextCall,
  registered,
  unreachable,
  decisions,
}: Prediction): boolean {
  const worst = Math.max(firstCall.worst, nextCall.worst, registered.worst, unreachable.worst);
  return worst < UNFELT_MS && decisions.length === 0;
}

function row(label: string, { median, p95, worst }: Spread): string {
  const figures = [median, p95, worst].map((one) => secondsWords(one).padStart(FIGURE_WIDTH));
  return `  ${label.padEnd(LABEL_WIDTH)}${figures.join("")}`;
}

function decisionWords({ event, method, from, to, why, rule, mode }: SimulatedEvent): string {
  const because = rule === undefined ? "" : `; ${rule}`;
  switch (event) {
    case "request.failed-over":
      return `${method} goes from ${from} to ${to}: ${why}${because}`;
    case "server.fell-back":
      return `the account falls back from server ${from} to server ${to}${because}`;
    default:
      return `the account is back at server ${to}: ${mode}${because}`;
  }
}

/** Milliseconds as seconds, or never. */
export function secondsWords(ms: number): string {
  return Number.isFinite(ms) ? `${(ms / 1000).toFixed(ms < 99_950 ? 1 : 0)} s` : "never";
}

const OUTCOMES: Readonly<Record<Reading["outcome"], string>> = {
  honoured: "honoured",
  overridden: "overridden",
  "no-effect": "accepted, no effect",
  unknown: "not known",
  rejected: "rejected",
};

export function keyLines({ readings }: PhoneConfiguration): string[] {
  return [
    `Keys read (${readings.length}):`,
    ...readings.map(({ file, line, key, value, outcome, reason, decides }) => {
      const what = reason === "" ? (decides === "" ? "" : `: ${decides}`) : `: ${reason}`;
      return `  ${file}:${line}: ${key} = ${value} — ${OUTCOMES[outcome]}${what}`;
    }),
    "",
  ];
}

/** Traps, and below them what works as documented and surprises. */
export function findingLines({ faults }: Pick<PhoneConfiguration, "faults">): string[] {
  const notes = faults.filter(({ severity }) => severity === "note");
  const traps = faults.filter(({ severity }) => severity !== "note");
  const listed = (title: string, found: readonly Fault[]): string[] => [
    `${title} (${found.length}):`,
    ...found.map((fault) => `  ${formatFinding(fault)}`),
  ];
  return [
    ...(traps.length === 0 ? ["No traps found."] : listed("Traps", traps)),
    ...(notes.length === 0 ? [] : listed("Worth knowing", notes)),
  ];
}

/** Seconds; null stands for never. */
interface SpreadInSeconds {
  readonly least: number | null;
  readonly median: number | null;
  readonly p95: number | null;
  readonly worst: number | null;
}

/** The same as JSON objects, one for each line of the stream. */
export function forecastRecords(forecast: Forecast): Record<string, unknown>[] {
  const { account, bounds, standing, registersPerHour, predictions } = forecast;
  const whose = { account: account.index, user: account.user };
  return [
    {
      event: "explain.bounded",
      ...whose,
      standing,
      registersPerHour,
      registeredSeconds: inSeconds(bounds.registeredMs),
      homeSeconds: inSeconds(bounds.homeMs),
      registersPerMinute: bounds.registersPerMinute,
      callSeconds: inSeconds(bounds.callMs),
    },
    ...predictions.map((one) => ({
      event: "explain.predicted",
      ...whose,
      victim: one.victim,
      fault: one.hangs ? "hung" : one.fault,
      firstCall: spreadInSeconds(one.firstCall),
      nextCall: spreadInSeconds(one.nextCall),
      registered: spreadInSeconds(one.registered),
      ...(one.fullService === undefined ? {} : { fullService: spreadInSeconds(one.fullService) }),
      unreachable: spreadInSeconds(one.unreachable),
      back: spreadInSeconds(one.back),
      decisions: [...new Set(one.decisions.map(decisionWords))],
    })),
  ];
}

function spreadInSeconds({ least, median, p95, worst }: Spread): SpreadInSeconds {
  return {
    least: inSeconds(least),
    median: inSeconds(median),
    p95: inSeconds(p95),
    worst: inSeconds(worst),
  };
}

export function inSeconds(ms: number): number | null {
  return Number.isFinite(ms) ? Math.round(ms) / 1000 : null;
}
