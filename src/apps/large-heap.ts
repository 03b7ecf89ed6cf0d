/** Commands that need more memory than Node gives by itself: they run again in a process that has it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { getHeapStatistics } from "node:v8";
import { EXIT } from "./exit.ts";

const MEGABYTE = 1024 * 1024;

/**
 * How much more than at the last collection stands in a heap before the next: by itself the engine lets a heap that has
 * room grow to several times what is alive in it.
 */
const GROWING = "--heap-growing-percent=15";

/**
 * Whether this process may grow so far, megabytes.
 * @param tight and does not let what is over lie about.
 */
export function hasHeap(megabytes: number, tight: boolean): boolean {
  const roomy = getHeapStatistics().heap_size_limit >= megabytes * MEGABYTE;
  return roomy && (!tight || process.execArgv.includes(GROWING));
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Runs this very command in a process with so much heap, megabytes, kept tight; ends as that does. */
export async function runWithHeap(megabytes: number): Promise<void> {
  const flags = [`--max-old-space-size=${megabytes}`, GROWING];
  const args = [...process.execArgv, ...flags, ...process.argv.slice(1)];
  const child = spawn(process.execPath, args, { stdio: "inherit" });
  const pass = (signal: NodeJS.Signals): unknown => child.kill(signal);
  for (const signal of SIGNALS) process.on(signal, pass);
  const [status, ended] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
  for (const signal of SIGNALS) process.off(signal, pass);
  process.exitCode = status ?? EXIT.failed;
  if (SIGNALS.some((signal) => signal === ended))
    process.kill(process.pid, ended as NodeJS.Signals);
}
