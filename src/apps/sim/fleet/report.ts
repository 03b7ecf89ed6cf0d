/** A fleet's run as a page: who was served, and the REGISTERs at each server, over time. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeFolder } from "../../../worlds/node/folder.ts";
import { costLine } from "./cost.ts";
import { figureLines } from "./figures.ts";
import { describePlan, type FleetPlan } from "./plan.ts";
import type { FleetRun } from "./run.ts";

const WIDTH = 960;
const HEIGHT = 220;
const MARGIN = { left: 60, top: 12, bottom: 28 } as const;
/** Points of a line: more than the page has columns would not be seen. */
const MOST_POINTS = 480;
const COLOURS = ["#0a6e9e", "#b3541e", "#2f7d32", "#7a2d94", "#8a6d00", "#5b6770"];

const STYLE = `
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 64rem; margin: 2rem auto; padding: 0 1rem; }
svg { width: 100%; height: auto; } text { font-size: 12px; fill: currentColor; }
.axis { stroke: currentColor; opacity: .5; } .outage { fill: #d33; opacity: .15; }
.line { fill: none; stroke-width: 1.5; }
`;

interface Series {
  readonly name: string;
  readonly values: Uint32Array;
}

/** Writes `index.html` and `fleet.json`. */
export async function writeFleetReport(
  folder: string,
  plan: FleetPlan,
  run: FleetRun,
): Promise<void> {
  makeFolder(folder);
  const servers = plan.servers.map(({ name }) => ({
    name,
    values: run.tally.registersAt(name),
  }));
  const json = {
    ...run.figures,
    cost: run.cost,
    drawn: describePlan(plan),
    served: [...run.tally.served],
    registers: Object.fromEntries(servers.map(({ name, values }) => [name, [...values]])),
  };
  await writeFile(join(folder, "fleet.json"), `${JSON.stringify(json)}\n`);
  await writeFile(join(folder, "index.html"), pageOf(plan, run, servers));
}

export function pageOf(plan: FleetPlan, run: FleetRun, servers: readonly Series[]): string {
  const { figures, tally } = run;
  const served = chart(plan, [{ name: "phones served", values: tally.served }], "least");
  const registers = chart(plan, servers, "most");
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>dialtone sim ${figures.seed}</title><style>${STYLE}</style></head>
<body>
<h1>dialtone sim, seed ${figures.seed}</h1>
${list(describePlan(plan))}
<h2>Phones served</h2>
${served}
<h2>REGISTERs a second at each server</h2>
${registers}
<h2>Figures</h2>
${list([...figureLines(figures), costLine(figures.events, run.cost)])}
</body>
</html>
`;
}

/** A list of lines; all text is our own but for names out of configuration files. */
function list(lines: readonly string[]): string {
  const items = lines.map((line) => `<li>${escapeText(line)}</li>`);
  return `<ul>${items.join("")}</ul>`;
}

function chart(plan: FleetPlan, series: readonly Series[], keep: "least" | "most"): string {
  const top = Math.max(1, ...series.map(({ values }) => largest(values)));
  const seconds = plan.lastsMs / 1000;
  const inner = WIDTH - MARGIN.left;
  const floor = HEIGHT - MARGIN.bottom;
  const x = (second: number): number => MARGIN.left + (second / seconds) * inner;
  const y = (value: number): number => floor - (value / top) * (floor - MARGIN.top);
  const outages = plan.outages.map(({ atMs, forMs }) => {
    const left = x(atMs / 1000);
    const width = x((atMs + forMs) / 1000) - left;
    return `<rect class="outage" x="${fixed(left)}" y="${MARGIN.top}" width="${fixed(width)}" height="${floor - MARGIN.top}"/>`;
  });
  const lines = series.map(({ values }, index) => {
    const points = thinned(values, keep).map(
      ([second, value]) => `${fixed(x(second))},${fixed(y(value))}`,
    );
    return `<polyline class="line" stroke="${colour(index)}" points="${points.join(" ")}"/>`;
  });
  const legend = series.map(
    ({ name }, index) =>
      `<text x="${MARGIN.left + 8 + index * 130}" y="${HEIGHT - 6}" style="fill:${colour(index)}">${escapeText(name)}</text>`,
  );
  const axes = `<path class="axis" fill="none" d="M${MARGIN.left} ${MARGIN.top}V${floor}H${WIDTH}"/>`;
  const labels = `<text x="4" y="${MARGIN.top + 10}">${top}</text><text x="4" y="${floor}">0</text><text x="${WIDTH - 70}" y="${HEIGHT - 6}">${fixed(seconds / 60)} min</text>`;
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}">${outages.join("")}${axes}${lines.join("")}${labels}${legend.join("")}</svg>`;
}

/** At most so many points, each the least or the most of its stretch: what matters stays visible. */
function thinned(values: Uint32Array, keep: "least" | "most"): [number, number][] {
  const step = Math.max(1, Math.ceil(values.length / MOST_POINTS));
  const points: [number, number][] = [];
  for (let start = 0; start < values.length; start += step) {
    const stretch = values.subarray(start, start + step);
    const value = stretch.reduce((one, other) =>
      keep === "most" ? Math.max(one, other) : Math.min(one, other),
    );
    points.push([start, value]);
  }
  return points;
}

function largest(values: Uint32Array): number {
  return values.reduce((most, value) => Math.max(most, value), 0);
}

function colour(index: number): string {
  return COLOURS[index % COLOURS.length] as string;
}

function fixed(value: number): string {
  return value.toFixed(1);
}

function escapeText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
