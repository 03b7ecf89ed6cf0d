/** Commands that need more memory than Node gives by itself: they run again in a process that has it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { getHeapStatistics } from "node:v8";
import { EXIT } from "./exit.ts";

const MEGABYTE = 1024 * 1024;

/** Whether this process may grow so far, megabytes. */
export function hasHeap(megabytes: number): boolean {
  return getHeapStatistics().heap_size_limit >= megabytes * MEGABYTE;
}

/** Runs this very command in a process with so much heap, megabytes; ends as that does. */
export async function runWithHeap(megabytes: number): Promise<void> {
  const args = [...process.execArgv, `--max-old-space-size=${megabytes}`, ...process.argv.slice(1)];
  const child = spawn(process.execPath, args, { stdio: "inherit" });
  const pass = (signal: NodeJS.Signals): unknown => child.kill(signal);
  process.on("SIGINT", pass).on("SIGTERM", pass);
  const [status] = (await once(child, "exit")) as [number | null];
  process.off("SIGINT", pass).off("SIGTERM", pass);
  process.exitCode = status ?? EXIT.failed;
}
