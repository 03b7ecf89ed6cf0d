/**
 * The folder of one stage, named after its process: whoever is killed outright leaves it behind, and the next lab takes
 * away those whose process is gone.
 */
import { readdirSync, readlinkSync, rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const NAMED = /^dialtone-lab-(\d+)-(\d+)-\w+$/;

export async function newLabFolder(): Promise<string> {
  for (const name of readdirSync(tmpdir())) if (isLeft(name)) removed(join(tmpdir(), name));
  return await mkdtemp(join(tmpdir(), `dialtone-lab-${process.pid}-${numbering()}-`));
}

function isLeft(name: string): boolean {
  const [, pid, of] = NAMED.exec(name) ?? [];
  if (pid === undefined || of !== numbering()) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    // Somebody else's process may not be asked, and so is there.
    return error instanceof Error && "code" in error && error.code === "ESRCH";
  }
}

/** Another container that shares the folder counts its processes by itself: they are nobody's here. */
function numbering(): string {
  try {
    return readlinkSync("/proc/self/ns/pid").replace(/\D/g, "");
  } catch {
    // Not Linux: there is one numbering.
    return "0";
  }
}

function removed(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {
    // It belongs to somebody else, who will do it.
  }
}
