/** Who sends the REGISTERs: the measuring tool beside the project if it can be built here, else one of our own. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { findCommand } from "../lab/guests/find-command.ts";
import type { Crew } from "./crew.ts";

const ROOT = join(import.meta.dirname, "..", "..", "..", "..");
/** C sources of the measuring tools beside the project. */
export const SHARED_SOURCES: string = join(ROOT, "..", "shared", "bench", "src");
const SOURCE = join(SHARED_SOURCES, "sipload.c");
const STREAMS = join(import.meta.dirname, "stream-load-program.js");
const OWN = join(import.meta.dirname, "load-program.js");

/** As the generator names its users, and the domain they register at. */
export const DOMAIN = "sip.test";
export const PASSWORD = "secret";

/** Requests under way at a time. */
export const WINDOW = 64;

/** What is not answered by then is lost: a server that others kept from its core for a second is only late. */
export const LOST_MS = 10_000;

/** A run that takes longer has come to a stop. */
const LONGEST_SECONDS = 100;

export function userName(index: number): string {
  return `u${String(index).padStart(7, "0")}`;
}

export type LoadTransport = "udp" | "tcp" | "tls";

export interface LoadOrder {
  readonly transport: LoadTransport;
  /** Where the server listens, on 127.0.0.1. */
  readonly port: number;
  /** Where the answers are to come. */
  readonly ownPort: number;
  readonly count: number;
  readonly users: number;
  /** A nonce is used again and again until the server wants another. */
  readonly digest: boolean;
}

export interface LoadResult {
  readonly ok: number;
  readonly lost: number;
  /** Answered with something else than 200. */
  readonly bad: number;
}

export interface Load {
  /** Told to the reader. */
  readonly name: string;
  run(order: LoadOrder): Promise<LoadResult>;
}

/** @param folder where it may be built. */
export async function findLoad(crew: Crew, folder: string): Promise<Load> {
  return (await sipload(crew, folder)) ?? ownLoad(crew);
}

async function sipload(crew: Crew, folder: string): Promise<Load | undefined> {
  const compiler = findCommand("cc");
  if (compiler === undefined || !existsSync(SOURCE)) return undefined;
  const program = join(folder, "sipload");
  try {
    await promisify(execFile)(compiler, ["-O2", "-w", "-o", program, SOURCE, "-lm"]);
  } catch {
    return undefined;
  }
  return {
    name: `load: sipload, ${WINDOW} requests under way`,
    run: async ({ port, ownPort, count, users, digest }) => {
      const args = [
        ...["--dst", `127.0.0.1:${port}`, "--src", `127.0.0.1:${ownPort}`],
        ...["--count", `${count}`, "--users", `${users}`, "--seconds", `${LONGEST_SECONDS}`],
        ...["--window", `${WINDOW}`, "--timeout-ms", `${LOST_MS}`],
        ...["--auth", digest ? "cached" : "none", "--password", PASSWORD, "--domain", DOMAIN],
      ];
      return resultOf(await crew.run(1, { program, args }));
    },
  };
}

function ownLoad(crew: Crew): Load {
  return {
    name: `load: our own on Node, ${WINDOW} requests under way`,
    run: async ({ port, ownPort, count, users, digest }) => {
      const numbers = [port, ownPort, count, users].map(String);
      const args = [OWN, ...numbers, digest ? PASSWORD : "-"];
      return resultOf(await crew.run(1, { program: process.execPath, args }));
    },
  };
}

/** Over open connections there is one generator only. */
export function streamLoad(crew: Crew): Load {
  return {
    name: `load: our own on Node, ${WINDOW} connections, one request under way on each`,
    run: async ({ transport, port, count, users }) => {
      const args = [STREAMS, transport, ...[port, count, users].map(String)];
      return resultOf(await crew.run(1, { program: process.execPath, args }));
    },
  };
}

function resultOf(output: string): LoadResult {
  const last = output.trim().split("\n").at(-1) ?? "";
  return JSON.parse(last) as LoadResult;
}
