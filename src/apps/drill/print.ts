/** A drill in plain words, and as JSON objects. */
import { FAULT_WORDS, inSeconds, secondsWords } from "../explain/print.ts";
import type { Drill, Drilled, Figure } from "./drill.ts";

export const LABELS: Readonly<Record<Figure["key"], string>> = {
  firstCall: "the next call is answered after",
  nextCall: "the one after it",
  registered: "registered again after",
  unreachable: "calls to it do not reach it for",
  back: "once it is back, requests go there after",
};

const LOCATIONS: Readonly<Record<string, string>> = {
  true: "  what the phone tells one working server, the others know",
  false: "  what the phone tells one working server, the others do not know",
};

const LABEL_WIDTH = 44;
const FIGURE_WIDTH = 20;

export function planLines(drill: Drill): string[] {
  const { settings, grounds, victims } = drill;
  const { account, to, patienceMs } = settings;
  const lines = [`Account ${account.index}: ${account.user}; nothing is done to its servers:`];
  for (const { title, spec } of grounds.servers) lines.push(`  ${title}: ${spec.address}`);
  if (drill.sharedLocations !== undefined)
    lines.push(LOCATIONS[String(drill.sharedLocations)] ?? "");
  const most = Math.ceil((victims.length * 2 * 4 * patienceMs) / 60_000);
  const whom = to === undefined ? "itself" : to;
  lines.push(
    `The phone calls ${whom}; ${victims.length * 2} failures, at most ${most} minutes together.`,
    "",
  );
  return lines;
}

export function drilledLines({ victim, fault, figures }: Drilled): string[] {
  const when = `${capital(victim)} ${FAULT_WORDS[fault]}:`;
  const heads = ["measured", "foretold"].map((word) => word.padStart(FIGURE_WIDTH)).join("");
  return [`${when.padEnd(LABEL_WIDTH + 2)}${heads}`, ...figures.map(figureLine), ""];
}

function figureLine(figure: Figure): string {
  const { key, measuredMs, foretold } = figure;
  const worst = foretold === undefined ? "" : upTo(foretold.median, foretold.worst);
  const cells = [measuredWords(measuredMs), worst].map((cell) => cell.padStart(FIGURE_WIDTH));
  return `  ${LABELS[key].padEnd(LABEL_WIDTH)}${cells.join("")}${remark(figure)}`;
}

/** A measured figure; what did not come was not waited for longer than the patience. */
export function measuredWords(ms: number): string {
  return Number.isFinite(ms) ? secondsWords(ms) : "not in time";
}

/** The median and the worst of what was foretold. */
export function upTo(median: number, worst: number): string {
  const [least, most] = [secondsWords(median), secondsWords(worst)];
  return least === most ? most : `${least} … ${most}`;
}

/** What is to be said of a figure: nothing if all is as it should be. */
export function remark({ agrees, tooLong }: Figure): string {
  const words = [
    ...(tooLong ? ["longer than the limit"] : []),
    ...(agrees === false ? ["later than foretold"] : []),
    ...(agrees === undefined ? ["not waited for"] : []),
  ];
  return words.length === 0 ? "" : `  ${words.join(", ")}`;
}

/** Without a limit nothing can be too long. */
export function verdictLine(all: readonly Drilled[], limitMs: number): string {
  const failed = all.filter(({ passed }) => !passed).length;
  const other = all.filter(({ figures }) => figures.some(({ agrees }) => agrees === false)).length;
  const foretold = other === 0 ? "all as foretold" : `${other} of ${all.length} not as foretold`;
  if (!Number.isFinite(limitMs)) return `${all.length} failures drilled; ${foretold}.`;
  const limit = secondsWords(limitMs);
  const within =
    failed === 0
      ? `calls were never gone for longer than ${limit}`
      : `${failed} of ${all.length} took longer than ${limit}`;
  return `${all.length} failures drilled; ${within}; ${foretold}.`;
}

/** Seconds; null: not within the patience, or never. */
export function drilledRecord({ victim, addresses, fault, figures, passed }: Drilled): object {
  const each = figures.map(({ key, measuredMs, foretold, agrees, tooLong }) => [
    key,
    {
      seconds: inSeconds(measuredMs),
      ...(foretold === undefined
        ? {}
        : { foretold: { median: inSeconds(foretold.median), worst: inSeconds(foretold.worst) } }),
      agrees: agrees ?? null,
      tooLong,
    },
  ]);
  return { event: "drill.measured", victim, addresses, fault, passed, ...Object.fromEntries(each) };
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
