/** What a connection that a phone holds open costs the server: memory as the system counts it, not the heap alone. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { certificateFlags, certificateIn } from "./certificate.ts";
import type { Crew } from "./crew.ts";
import { freePort } from "./free-port.ts";
import { DOMAIN } from "./load.ts";
import type { Outcome, Unit } from "./report.ts";

const HERE = import.meta.dirname;
const CLI = join(HERE, "..", "cli.js");
const HOLDER = join(HERE, "connections-program.js");

const BYTES: Unit = { key: "bytes", words: "bytes of the server's memory each" };

/** Held before the counting begins, so that code and tables are there. */
const WARM_CONNECTIONS = 500;
const PATIENCE_MS = 120_000;

/** @throws Error if not every connection was registered over and held. */
export async function* benchConnections(
  crew: Crew,
  folder: string,
  count: number,
): AsyncGenerator<Outcome> {
  const certificate = await certificateIn(crew, folder);
  const transports = certificate === undefined ? ["tcp"] : ["tcp", "tls"];
  for (const transport of transports) {
    const bytes = await measure(crew, transport, certificateFlags(certificate), count);
    const what = `${count} ${transport.toUpperCase()} connections, each with a registered phone`;
    const ours = { name: "dialtone", runs: [bytes] };
    yield { bench: "connections", what, unit: BYTES, ours, others: [], notes: [] };
  }
}

async function measure(
  crew: Crew,
  transport: string,
  certificate: readonly string[],
  count: number,
): Promise<number> {
  const port = await freePort("tcp");
  const listen = ["--listen", `${transport}:127.0.0.1:${port}`, "--domain", DOMAIN, "--open"];
  const args = [CLI, "serve", ...listen, ...certificate];
  const server = await crew.start(0, { program: process.execPath, args, ready: /server\.started/ });
  const hold = async (from: number, many: number): Promise<void> => {
    const words = [HOLDER, transport, `${port}`, `${from}`, `${many}`];
    const holder = await crew.start(1, { program: process.execPath, args: words });
    await holder.said(/held|lost/, PATIENCE_MS);
    if (holder.output.includes("lost")) throw new Error(`connections were lost: ${holder.output}`);
  };
  try {
    await hold(0, WARM_CONNECTIONS);
    const before = memoryOf(server.pid);
    await hold(WARM_CONNECTIONS, count);
    return (memoryOf(server.pid) - before) / count;
  } finally {
    await server.stop();
  }
}

/** Bytes that are the process's own, and its part of what it shares. */
function memoryOf(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "latin1");
  return Number(/^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1]) * 1024;
}
