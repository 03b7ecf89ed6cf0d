/** `--report`: one page for whoever decides, the same as JSON, and the trace for whoever looks into it. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TimedEvent } from "../../worlds/node/driver.ts";
import { FAULT_WORDS } from "../explain/print.ts";
import { escapeMarkup } from "../trace/canvas.ts";
import type { Drill, Drilled, Figure } from "./drill.ts";
import { drilledRecord, LABELS, measuredWords, remark, upTo } from "./print.ts";

export interface DrillReport {
  readonly drilling: Drill;
  readonly all: readonly Drilled[];
  readonly verdict: string;
  readonly passed: boolean;
  readonly began: Date;
  readonly trace: readonly TimedEvent[];
}

/** Writes `index.html`, `drill.json` and `trace.jsonl` into a folder that is there. */
export async function writeDrillReport(folder: string, report: DrillReport): Promise<void> {
  const { all, verdict, passed, began, trace } = report;
  const json = { began: began.toISOString(), passed, verdict, failures: all.map(drilledRecord) };
  const lines = trace.map((event) => `${JSON.stringify(event)}\n`);
  await writeFile(join(folder, "index.html"), pageOf(report));
  await writeFile(join(folder, "drill.json"), `${JSON.stringify(json, null, 2)}\n`);
  await writeFile(join(folder, "trace.jsonl"), lines.join(""));
}

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 58rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: .2rem; } h2 { font-size: 1.1rem; margin: 1.6rem 0 .3rem; }
.verdict { font-size: 1.15rem; padding: .6rem .9rem; border-left: .3rem solid; }
table { border-collapse: collapse; width: 100%; }
td, th { padding: .2rem .8rem .2rem 0; text-align: right; border-bottom: 1px solid #8883; }
td:first-child, th:first-child { text-align: left; } td:last-child { text-align: left; }
.good { color: light-dark(#17692d, #6cd98a); } .bad { color: light-dark(#b3151b, #ff7b7b); }
.faint { opacity: .7; }
@media print { body { margin: 0; max-width: none; } }
`;

function pageOf({ drilling, all, verdict, passed, began }: DrillReport): string {
  const { account } = drilling.settings;
  const servers = drilling.grounds.servers
    .map(({ title, spec }) => `<li>${escapeMarkup(`${title}: ${spec.address}`)}</li>`)
    .join("");
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Drill of ${escapeMarkup(account.user)}</title><style>${STYLE}</style></head>
<body>
<h1>What happens to ${escapeMarkup(account.user)} when a server dies</h1>
<p class="faint">Drilled ${began.toISOString().slice(0, 16).replace("T", " ")} UTC on the real servers, which were not touched:
the phone cut itself off from them.</p>
<p class="verdict ${passed ? "good" : "bad"}">${escapeMarkup(verdict)}</p>
<ul>${servers}</ul>
${all.map(sectionOf).join("\n")}
<p class="faint">Foretold is what <code>dialtone explain</code> says of the same files: median … worst. Times count from the
failure, those of calls from dialling. drill.json has the figures, trace.jsonl every message and decision.</p>
</body>
</html>
`;
}

function sectionOf({ victim, addresses, fault, figures }: Drilled): string {
  const title = escapeMarkup(`${victim} ${FAULT_WORDS[fault]}`);
  return `<h2>When ${title} <span class="faint">${escapeMarkup(addresses.join(", "))}</span></h2>
<table><thead><tr><th></th><th>measured</th><th>foretold</th><th></th></tr></thead>
<tbody>
${figures.map(rowOf).join("\n")}
</tbody></table>`;
}

function rowOf(figure: Figure): string {
  const { key, measuredMs, foretold, agrees, tooLong } = figure;
  const kind = tooLong || agrees === false ? ' class="bad"' : "";
  const said = foretold === undefined ? "" : upTo(foretold.median, foretold.worst);
  const cells = [measuredWords(measuredMs), said, remark(figure).trim()];
  return `<tr><td>${LABELS[key]}</td>${cells.map((cell) => `<td${kind}>${escapeMarkup(cell)}</td>`).join("")}</tr>`;
}
