/** What processes got of the processors, and what they waited for, to the nanosecond, as Linux tells it. */
import { existsSync, readdirSync, readFileSync } from "node:fs";

/** Whether this system tells it. */
export function canMeasure(): boolean {
  return existsSync("/proc/self/schedstat");
}

/** Microseconds on a core so far, of a process with its threads and descendants; what ends meanwhile is left out. */
export function cpuTimeUs(pid: number): number {
  let nanoseconds = 0;
  for (const member of familyOf(pid)) {
    for (const thread of list(`/proc/${member}/task`)) {
      nanoseconds += scheduled(`${member}/task/${thread}`).ran;
    }
  }
  return nanoseconds / 1000;
}

/**
 * Milliseconds for which the first thread of each process of a family has been ready to run so far and had no
 * processor, by process. Empty where the system does not tell.
 */
export function waitedMs(pid: number): ReadonlyMap<number, number> {
  const told = canMeasure() ? familyOf(pid) : [];
  return new Map(told.map((member) => [member, scheduled(String(member)).waited / 1e6]));
}

/** Milliseconds that a hypervisor has kept processors of this machine for others so far, summed over all of them. */
export function stolenMs(): number {
  // cpu user nice system idle iowait irq softirq steal …, in hundredths of a second.
  const [, , , , , , , , steal = "0"] = (read("/proc/stat").split("\n")[0] ?? "").split(/ +/);
  return Number(steal) * 10;
}

function scheduled(task: string): { readonly ran: number; readonly waited: number } {
  const [ran = "0", waited = "0"] = read(`/proc/${task}/schedstat`).split(" ");
  return { ran: Number(ran), waited: Number(waited) };
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
