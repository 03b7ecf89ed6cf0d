/** SIPp as one end of a test: a scenario of test/interop/sipp, run once, judged by its exit code. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isBound } from "../../src/apps/lab/guests/bound-port.ts";
import { findPeer } from "./peers.ts";
import { type Household, type Running, reached } from "./processes.ts";

/** From dist/test/support to the sources. */
const SCENARIOS = join(import.meta.dirname, "..", "..", "..", "test", "interop", "sipp");
/** A scenario that takes longer has failed. */
const PATIENCE_S = 20;
const SIP_PORT = 5060;

export interface SippOptions {
  /** The file, without `.xml`. */
  readonly scenario: string;
  /** Where it is. */
  readonly address: string;
  /** Whom it sends to; left out: it waits for the first message. */
  readonly to?: string;
  readonly transport?: "udp" | "tcp";
  /** The user part it calls. */
  readonly service?: string;
  /** `[name]` in the scenario. */
  readonly keys?: Readonly<Record<string, string>>;
  /** Calls; 1 unless said. */
  readonly calls?: number;
  /** A CSV file whose lines are `[field0]`, `[field1]` …. */
  readonly injected?: string;
}

export class Sipp {
  readonly #process: Running;
  readonly #options: SippOptions;
  readonly #errors: string;

  /** Repetitions are left to the scenario (`-nr`): each message that comes is one that it must expect. */
  constructor(household: Household, options: SippOptions) {
    const { scenario, address, to, transport = "udp", service = "phone", keys = {} } = options;
    const name = `${scenario}-${address}-${transport}`;
    this.#options = options;
    this.#errors = household.path(`${name}.errors`);
    this.#process = household.spawn(name, findPeer("sipp") as string, [
      ...(to === undefined ? [] : [`${to}:${SIP_PORT}`]),
      ...["-sf", join(SCENARIOS, `${scenario}.xml`), "-i", address, "-p", String(SIP_PORT)],
      ...["-m", String(options.calls ?? 1), "-t", transport === "udp" ? "u1" : "t1"],
      ...["-s", service, "-nr", "-nostdin", "-timeout", `${PATIENCE_S}s`, "-timeout_error"],
      ...["-trace_err", "-error_file", this.#errors],
      ...(options.injected === undefined ? [] : ["-inf", options.injected]),
      ...Object.entries(keys).flatMap(([key, value]) => ["-key", key, value]),
    ]);
  }

  /** It listens. */
  async ready(): Promise<this> {
    const { address, transport = "udp" } = this.#options;
    await reached(`${this.#process.name} at its port`, () => {
      assert.ok(this.#process.running, this.#complaint());
      return isBound(address, SIP_PORT, transport);
    });
    return this;
  }

  /** Every message came in its turn, and no other. */
  async passed(): Promise<void> {
    await this.#process.exited;
    assert.equal(this.#process.exitCode, 0, this.#complaint());
  }

  #complaint(): string {
    let errors = "";
    try {
      errors = readFileSync(this.#errors, "utf8");
    } catch {
      // It had nothing to complain about.
    }
    const last = this.#process.lines.slice(-20).join("\n");
    return `SIPp ${this.#process.name} ended with ${this.#process.exitCode}\n${errors}\n${last}`;
  }
}
