/** A Chromium with nothing in it, and a lab to look at; both end with the test. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import { findPeer } from "./peers.ts";

const ROOT = join(import.meta.dirname, "..", "..", "..");
const PROGRAM = join(ROOT, "dist", "src", "apps", "cli.js");
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
/** Generous: a busy machine is no reason to fail. */
export const PATIENCE_MS = 60_000;

/** Where the bundled page stands. */
export const PAGE_FOLDER: string = join(ROOT, "dist", "page");

/** Bundles the page if it is older than what it is made of. */
export function bundlePage(): void {
  const script = join(ROOT, "scripts", "page.mjs");
  const { status, stderr } = spawnSync(process.execPath, [script, "--if-older"], {
    encoding: "utf8",
  });
  assert.equal(status, 0, stderr);
}

export interface Browser {
  readonly page: Page;
  /** What the page threw or complained of. */
  readonly complaints: readonly string[];
  close(): Promise<void>;
}

export async function openBrowser(offline = false): Promise<Browser> {
  const folder = mkdtempSync(join(tmpdir(), "dialtone-browser-"));
  const context: BrowserContext = await chromium.launchPersistentContext(folder, {
    executablePath: findPeer("chromium") as string,
    headless: true,
    viewport: { width: 1440, height: 900 },
    colorScheme: "light",
    offline,
    args: FLAGS,
    timeout: PATIENCE_MS,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  const close = async (): Promise<void> => {
    await context.close();
    rmSync(folder, { recursive: true, force: true });
  };
  return { page, complaints, close };
}

export interface ServedLab {
  /** `http://127.0.0.1:PORT/`. */
  readonly address: string;
  readonly token: string;
  close(): Promise<void>;
}

/** The lab as people start it, its page at any port. */
export async function serveLab(block: number, ...more: readonly string[]): Promise<ServedLab> {
  const args = ["lab", "--json", "--http", "127.0.0.1:0", "--block", String(block), ...more];
  const child: ChildProcess = spawn(process.execPath, [PROGRAM, ...args], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  child.stdout?.resume();
  const said: string[] = [];
  const invitation = await new Promise<string>((found, failed) => {
    createInterface({ input: child.stderr as NodeJS.ReadableStream }).on("line", (line) => {
      said.push(line);
      const match = /^page: (\S+)$/.exec(line);
      if (match !== null) found(match[1] as string);
    });
    child.once("exit", () => failed(new Error(said.join("\n"))));
  });
  const [address = "", token = ""] = invitation.split("#");
  const close = async (): Promise<void> => {
    if (child.exitCode !== null) return;
    child.kill("SIGTERM");
    await once(child, "exit");
  };
  return { address, token, close };
}
