/** `--report`: the same outcome as JUnit XML for machines that build, JSON for programs, and a page for people. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeFolder } from "../../worlds/node/folder.ts";
import type { LeftOut } from "../scenario/left-out.ts";
import type { Failure } from "../scenario/verdict.ts";
import { escapeMarkup } from "../trace/canvas.ts";
import { drawLadder } from "../trace/ladder.ts";
import { withheldText } from "./machine-watch.ts";
import { type Played, playedRecords, type Spoilt } from "./run.ts";

/** Writes `junit.xml`, `lab.json` and `index.html` into a folder that need not exist. */
export async function writeReport(
  folder: string,
  all: readonly Played[],
  leftOut: readonly LeftOut[],
): Promise<void> {
  makeFolder(folder);
  await writeFile(join(folder, "junit.xml"), junitOf(all, leftOut));
  await writeFile(join(folder, "lab.json"), `${JSON.stringify(jsonOf(all), null, 2)}\n`);
  await writeFile(join(folder, "index.html"), pageOf(all, leftOut));
}

function jsonOf(all: readonly Played[]): unknown {
  return all.map(({ verdict, records, epochMs, spoilt }) => ({
    ...verdict,
    ...(spoilt === undefined ? {} : { spoilt }),
    began: new Date(epochMs).toISOString(),
    records,
  }));
}

export function junitOf(all: readonly Played[], leftOut: readonly LeftOut[] = []): string {
  const failed = all.filter(({ verdict }) => !verdict.passed).length;
  const seconds = all.reduce((sum, { verdict }) => sum + verdict.lastedMs, 0) / 1000;
  const cases = all.map(({ verdict, spoilt = [] }) => {
    const time = (verdict.lastedMs / 1000).toFixed(3);
    const open = `  <testcase classname="lab" name="${escapeMarkup(verdict.scenario)}" time="${time}"`;
    const told = verdict.failures.map(failureText);
    const first = escapeMarkup(told[0] ?? "");
    const text = escapeMarkup(told.join("\n"));
    const inner = [
      ...(verdict.passed ? [] : [`<failure message="${first}">${text}</failure>`]),
      ...(spoilt.length === 0
        ? []
        : [`<system-out>${escapeMarkup(spoilt.map(spoiltText).join("\n"))}</system-out>`]),
    ];
    if (inner.length === 0) return `${open}/>`;
    return `${open}>\n    ${inner.join("\n    ")}\n  </testcase>`;
  });
  const skipped = leftOut.map(({ scenario, why }) => {
    const named = `classname="lab" name="${escapeMarkup(scenario)}" time="0"`;
    return `  <testcase ${named}>\n    <skipped message="${escapeMarkup(why)}"/>\n  </testcase>`;
  });
  const tests = `tests="${all.length + leftOut.length}" failures="${failed}" skipped="${leftOut.length}"`;
  const head = `name="dialtone lab" ${tests} time="${seconds.toFixed(3)}"`;
  return [
    `<?xml version="1.0" encoding="UTF-8"?>`,
    `<testsuite ${head}>`,
    ...cases,
    ...skipped,
    "</testsuite>",
    "",
  ].join("\n");
}

function failureText({ where, expected, seen }: Failure): string {
  return `${where}: expected ${expected}; seen: ${seen}`;
}

function spoiltText({ verdict, withheld }: Spoilt): string {
  const failures = verdict.failures.map(failureText).join("; ");
  return `played again, since ${withheldText(withheld)}: ${failures}`;
}

const STYLE = `
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 75rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; } td, th { padding: .2rem .8rem .2rem 0; text-align: left; }
.wide { overflow-x: auto; }
pre { overflow-x: auto; font: 12px/1.25 ui-monospace, monospace; padding: 1rem; border: 1px solid #8884; }
.good { color: light-dark(#17692d, #6cd98a); } .bad { color: light-dark(#b3151b, #ff7b7b); }
.warn { color: light-dark(#8a5a00, #ffc04d); } .refused { color: light-dark(#b04a00, #ff9d5c); }
.redirect { color: light-dark(#7a2d94, #d79bea); } .request { color: light-dark(#006080, #6fd0ee); }
.faint { opacity: .6; } .bold { font-weight: bold; }
`;

export function pageOf(all: readonly Played[], leftOut: readonly LeftOut[] = []): string {
  const rows = all.map(({ verdict }) => {
    const name = escapeMarkup(verdict.scenario);
    const figures = verdict.figures.map((figure) => `${figure.label} ${figure.text}`).join("; ");
    const seconds = (verdict.lastedMs / 1000).toFixed(1);
    return `<tr><td><a href="#${name}">${name}</a></td><td>${outcome(verdict.passed)}</td><td>${seconds} s</td><td>${escapeMarkup(figures)}</td></tr>`;
  });
  const passed = all.filter(({ verdict }) => verdict.passed).length;
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>dialtone lab</title><style>${STYLE}</style></head>
<body>
<h1>dialtone lab</h1>
<p>${[`${passed} of ${all.length} passed.`, ...leftOut.map(leftOutText)].join("<br>")}</p>
<div class="wide">
<table><thead><tr><th>scenario</th><th>outcome</th><th>lasted</th><th>figures</th></tr></thead>
<tbody>
${rows.join("\n")}
</tbody></table>
</div>
${all.map(sectionOf).join("\n")}
</body>
</html>
`;
}

function leftOutText({ scenario, why }: LeftOut): string {
  return escapeMarkup(`${scenario} was left out: it ${why}.`);
}

function outcome(passed: boolean): string {
  return passed ? '<span class="good">passed</span>' : '<span class="bad">failed</span>';
}

function sectionOf(played: Played): string {
  const { verdict, epochMs, spoilt = [] } = played;
  const failures = verdict.failures.map(
    ({ where, expected, seen }) =>
      `<li>${escapeMarkup(where)}: expected ${escapeMarkup(expected)}<br>seen: ${escapeMarkup(seen)}</li>`,
  );
  const list = failures.length === 0 ? "" : `<ul class="bad">${failures.join("")}</ul>`;
  const earlier = spoilt.map((one) => `<p class="warn">${escapeMarkup(spoiltText(one))}</p>\n`);
  const ladder = drawLadder(playedRecords(played), { paint: "html", width: 0 }).join("\n");
  return `<section id="${escapeMarkup(verdict.scenario)}">
<h2>${escapeMarkup(verdict.scenario)} ${outcome(verdict.passed)}</h2>
<p>${escapeMarkup(verdict.title)}. Began ${new Date(epochMs).toISOString()}.</p>
${earlier.join("")}${list}
<pre>${ladder}</pre>
</section>`;
}
