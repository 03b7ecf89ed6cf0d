/** A copy of the emitted files, in which single rules of the engine can be broken. */
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Mutation } from "../sim/mutations.ts";

const ROOT = join(import.meta.dirname, "..", "..", "..");

export class Mutant {
  /** Of the copy; the emitted files are in its `dist`. */
  readonly folder: string = mkdtempSync(join(tmpdir(), "dialtone-mutations-"));

  constructor() {
    cpSync(join(ROOT, "dist", "src"), join(this.folder, "dist", "src"), { recursive: true });
    cpSync(join(ROOT, "package.json"), join(this.folder, "package.json"));
    symlinkSync(join(ROOT, "node_modules"), join(this.folder, "node_modules"), "junction");
  }

  get dist(): string {
    return join(this.folder, "dist");
  }

  /** Lasts while `meanwhile` does. */
  breaking({ file, find, put }: Mutation, meanwhile: () => void): void {
    const path = join(this.dist, "src", "core", file);
    const text = readFileSync(path, "utf8");
    assert.equal(text.split(find).length, 2, `${file} no longer has, once:\n${find}`);
    writeFileSync(
      path,
      text.replace(find, () => put),
    );
    try {
      meanwhile();
    } finally {
      writeFileSync(path, text);
    }
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}
