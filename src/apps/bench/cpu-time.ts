/** CPU time of a process with all its threads and descendants, to the nanosecond, as Linux tells it. */
import { existsSync, readdirSync, readFileSync } from "node:fs";

/** Whether this system tells it. */
export function canMeasure(): boolean {
  return existsSync("/proc/self/schedstat");
}

/** Microseconds on a core so far. What ends while it is being read counts for nothing. */
export function cpuTimeUs(pid: number): number {
  let nanoseconds = 0;
  for (const member of familyOf(pid)) {
    for (const thread of list(`/proc/${member}/task`)) {
      const [running = "0"] = read(`/proc/${member}/task/${thread}/schedstat`).split(" ");
      nanoseconds += Number(running);
    }
  }
  return nanoseconds / 1000;
}

/** The process and its descendants. */
function familyOf(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of list("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = read(`/proc/${name}/stat`);
    // The name in parentheses may hold anything, blanks and parentheses too.
    const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
    const known = children.get(parent);
    if (known === undefined) children.set(parent, [Number(name)]);
    else known.push(Number(name));
  }
  const family = [pid];
  for (const member of family) family.push(...(children.get(member) ?? []));
  return family;
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return "";
  }
}
