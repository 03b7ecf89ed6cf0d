/**
 * Ends the programs of others when the lab is killed outright: a shell that reads process groups from a pipe, and kills
 * those that are left when the pipe ends. It stands in a session of its own, where no terminal reaches it.
 */
import { type ChildProcess, spawn } from "node:child_process";

const SCRIPT = `groups=' '
while read -r sign group; do
  case $sign in
    +) groups="$groups$group " ;;
    -) groups="\${groups%% "$group" *} \${groups#* "$group" }" ;;
  esac
done
for group in $groups; do kill -KILL "-$group"; done`;

let guard: ChildProcess | undefined;
const guarded = new Set<number>();

function killAll(): void {
  for (const group of guarded) signalGroup(group, "SIGKILL");
}

/** The group is ended with this process, however that ends; call what is returned when it is over. */
export function guardGroup(group: number): () => void {
  if (guard === undefined) {
    guard = spawn("/bin/sh", ["-c", SCRIPT], {
      detached: true,
      stdio: ["pipe", "ignore", "ignore"],
    });
    // It goes when its input ends; nobody waits for it.
    guard.unref();
    guard.stdin?.on("error", () => undefined);
    process.on("exit", killAll);
  }
  const { stdin } = guard;
  guarded.add(group);
  stdin?.write(`+ ${group}\n`);
  return () => {
    if (!guarded.delete(group)) return;
    stdin?.write(`- ${group}\n`);
    if (guarded.size > 0) return;
    stdin?.end();
    process.off("exit", killAll);
    guard = undefined;
  };
}

/** To a program and all its children; false: nobody is left. */
export function signalGroup(group: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(-group, signal);
  } catch {
    return false;
  }
}
