/** Asks stores in tests, and starts the real servers and child processes that their claims are about. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { StoreAnswer } from "../../src/core/vocabulary.ts";
import type { Store, StoreQuestion } from "../../src/worlds/node/stores/store.ts";
import { findPeer } from "./peers.ts";

/** Far enough for no test to see it. */
export const LATER: number = Math.floor(Date.now() / 1000) + 86_400;

export function ask(store: Store, question: StoreQuestion): Promise<StoreAnswer> {
  return new Promise((resolve) => {
    store.ask(question, resolve);
  });
}

export function read(store: Store, key: string): Promise<StoreAnswer> {
  return ask(store, { kind: "store.read", key });
}

export function write(
  store: Store,
  key: string,
  value: string | undefined,
  ifVersion: number,
  expiresAt: number = LATER,
): Promise<StoreAnswer> {
  return ask(store, { kind: "store.write", key, value, ifVersion, expiresAt });
}

/** The version written. @throws Error for any other answer. */
export async function written(...parameters: Parameters<typeof write>): Promise<number> {
  const answer = await write(...parameters);
  if (answer.kind !== "written") throw new Error(`not written: ${JSON.stringify(answer)}`);
  return answer.version;
}

export function temporaryFolder(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), "dialtone-store-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Adds one to a counter by compare-and-set, as often as it takes. */
export async function increment(store: Store, key: string): Promise<void> {
  for (;;) {
    const found = await read(store, key);
    if (found.kind !== "stored") throw new Error(JSON.stringify(found));
    const next = String(Number(found.value ?? "0") + 1);
    const answer = await write(store, key, next, found.version);
    if (answer.kind === "written") return;
    if (answer.kind !== "conflict") throw new Error(JSON.stringify(answer));
  }
}

/** A process of its own that opens a store (see stores-child.ts). */
export function storeChild(
  store: string,
  task: "increment" | "fill" | "hold",
  key: string,
  environment: Record<string, string> = {},
): ChildProcess {
  const script = join(import.meta.dirname, "stores-child.js");
  return spawn(process.execPath, [script, store, task, key], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...environment },
  });
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** A real Redis server on a port of loopback; `end` leaves nothing behind. */
export class RedisServer {
  readonly port: number;
  readonly #extra: readonly string[];
  readonly #folder = temporaryFolder();
  #child: ChildProcess | undefined;

  private constructor(port: number, extra: readonly string[]) {
    this.port = port;
    this.#extra = extra;
  }

  static async start(extra: (port: number) => readonly string[] = () => []): Promise<RedisServer> {
    const port = await freePort();
    const server = new RedisServer(port, extra(port));
    await server.begin();
    return server;
  }

  /** Starts it, for the first time or again on the same port. */
  async begin(): Promise<void> {
    const program = findPeer("redis-server");
    if (program === undefined) throw new Error("no redis-server");
    const basics = ["--bind", "127.0.0.1", "--save", "", "--dir", this.#folder.path];
    const child = spawn(program, ["--port", String(this.port), ...basics, ...this.#extra], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#child = child;
    for await (const line of createInterface({ input: child.stdout })) {
      if (line.includes("Ready to accept connections")) break;
    }
    child.stdout?.resume();
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#child = undefined;
    child.kill("SIGKILL");
    await once(child, "exit");
  }

  signal(name: "SIGSTOP" | "SIGCONT"): void {
    this.#child?.kill(name);
  }

  async end(): Promise<void> {
    await this.kill();
    this.#folder.remove();
  }
}
