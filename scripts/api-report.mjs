// Writes docs/api-report.md: all that the public faces export, from the declarations that the compiler emitted. A test
// compares, so that nobody changes the API without seeing it. `dialtone` stands there whole, `dialtone/core` and
// `dialtone/sim` without the members of classes and interfaces.
//
// Not API Extractor: it brings a TypeScript of its own, older than the one that emits our declarations.
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { argv } from "node:process";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

export const FACES = [
  { name: "dialtone", file: "src/index.d.ts", whole: true },
  { name: "dialtone/core", file: "src/core/index.d.ts", whole: false },
  { name: "dialtone/sim", file: "src/worlds/sim/index.d.ts", whole: false },
];

/** The text of the report, from the declarations under `dist`. */
export function apiReport(dist = join(root, "dist")) {
  const faces = FACES.map(({ name, file, whole }) => {
    const lines = exportsOf(join(dist, file)).flatMap((one) => described(one, whole));
    return `## ${name}\n\n\`\`\`ts\n${lines.join("\n")}\n\`\`\`\n`;
  });
  const head =
    "# API report\n\nMade by `node scripts/api-report.mjs` from what the compiler emits; a test compares. What it means is told in [api.md](api.md).\n";
  return [head, ...faces].join("\n");
}

/** Every name that a face exports, with the file that declares it, by name. */
export function exportsOf(face) {
  const found = [];
  for (const [, list, from] of readFileSync(face, "utf8").matchAll(
    /^export (?:type )?\{([^}]*)\} from "([^"]+)";/gms,
  )) {
    for (const item of list.split(",").map((text) => text.trim().replace(/^type /, ""))) {
      if (item === "") continue;
      const [name, exported = name] = item.split(" as ");
      found.push({ name, exported, file: join(dirname(face), from.replace(/\.ts$/, ".d.ts")) });
    }
  }
  return found.sort((a, b) => (a.exported < b.exported ? -1 : 1));
}

function described({ name, exported, file }, whole) {
  const statements = statementsOf(file);
  const own = statements.filter((statement) => nameOf(statement) === name);
  if (own.length === 0) throw new Error(`${file} does not declare ${name}`);
  const renamed = exported === name ? [] : [`// ${name} as ${exported}`];
  if (!whole) return [...renamed, ...own.map(headOf)];
  const used = localsOf(own, statements);
  return [...renamed, ...own, ...used];
}

/** Declarations of the same file that are not exported and yet named. */
function localsOf(own, statements) {
  const wanted = new Set(own);
  for (let grown = true; grown; ) {
    grown = false;
    for (const statement of statements) {
      if (wanted.has(statement) || statement.startsWith("export")) continue;
      const word = new RegExp(`\\b${nameOf(statement)}\\b`);
      if (![...wanted].some((one) => word.test(one))) continue;
      wanted.add(statement);
      grown = true;
    }
  }
  return [...wanted].filter((statement) => !own.includes(statement));
}

const files = new Map();

/** The declarations of a file without comments, private members and what is marked @internal. */
function statementsOf(file) {
  const known = files.get(file);
  if (known !== undefined) return known;
  const text = readFileSync(file, "utf8")
    .replace(/^ *\/\*\* @internal(?:(?!\*\/)[\s\S])*\*\/\n.*\n/gm, "")
    .replace(/^ *\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n/gm, "")
    .replace(/^ *(?:#private|private .*);\n/gm, "");
  const statements = [];
  let held = [];
  let depth = 0;
  for (const line of text.split("\n")) {
    if (held.length === 0 && !/^(export |declare |interface |type |class )/.test(line)) continue;
    if (/^export (type )?\{|^export \{\}/.test(line)) continue;
    held.push(line);
    depth += count(line, /[{([]/g) - count(line, /[})\]]/g);
    if (depth > 0 || !/[;}]$/.test(line)) continue;
    statements.push(held.join("\n"));
    held = [];
  }
  files.set(file, statements);
  return statements;
}

function count(line, pattern) {
  return line.replace(/"[^"]*"/g, "").match(pattern)?.length ?? 0;
}

function nameOf(statement) {
  return /^(?:export )?(?:declare )?(?:abstract )?(?:class|interface|type|const|function\*?) (\w+)/.exec(
    statement,
  )?.[1];
}

/** A class or interface without its members. */
function headOf(statement) {
  const members = /^export (declare class|interface) [^{]*/.exec(statement);
  return members === null ? statement : `${members[0].trim()};`;
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(join(root, "docs", "api-report.md"), apiReport());
}
