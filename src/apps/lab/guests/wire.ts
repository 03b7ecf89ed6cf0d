/**
 * What programs of others send and receive, read off the loopback interface by dumpcap where the system lets it: they
 * keep no trace themselves, and between two of them nobody of ours would see anything.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { framesOf } from "../../capture/files.ts";
import { type CapturedMessage, MessageReader } from "../../capture/messages.ts";
import { fromTimeOfDay } from "../wall-clock.ts";
import { findCommand } from "./find-command.ts";
import { guardGroup } from "./guard.ts";

/** Of a capture file, and of each packet in it (libpcap 2.4). */
const FILE_HEADER = 24;
const PACKET_HEADER = 16;
/** For what comes while dumpcap does not get its turn, MB. */
const BUFFER = "8";

export class Wire {
  readonly #process: ChildProcess;
  readonly #told: (message: CapturedMessage) => void;
  readonly #messages = new MessageReader();
  readonly #ended: Promise<void>;
  #held: Uint8Array = new Uint8Array();

  private constructor(program: string, filter: string, told: (message: CapturedMessage) => void) {
    this.#told = told;
    const args = ["-i", "lo", "-q", "-P", "-B", BUFFER, "-f", filter, "-w", "-"];
    this.#process = spawn(program, args, { detached: true, stdio: ["ignore", "pipe", "pipe"] });
    const { pid } = this.#process;
    const release = pid === undefined ? () => undefined : guardGroup(pid);
    this.#process.stdout?.on("data", (chunk: Uint8Array) => this.#read(chunk));
    this.#ended = new Promise((done) => {
      const over = (): void => {
        release();
        done();
      };
      this.#process.once("close", over);
      this.#process.once("error", over);
    });
  }

  /**
   * Resolves when every packet is seen, or with why none will be.
   * @param places `ADDRESS:PORT`; packets from or to these are read.
   * @param told `at` on the wall clock.
   */
  static async open(
    places: readonly { readonly address: string; readonly port: number }[],
    told: (message: CapturedMessage) => void,
  ): Promise<Wire | string> {
    const program = findCommand("dumpcap");
    if (program === undefined) return "dumpcap is not installed (apt-get install wireshark-common)";
    const filter = places.map(({ address, port }) => `(host ${address} and port ${port})`);
    const wire = new Wire(program, filter.join(" or "), told);
    const said: string[] = [];
    const lines = createInterface({ input: wire.#process.stderr as NodeJS.ReadableStream });
    const begun = await new Promise<boolean>((done) => {
      lines.on("line", (line) => {
        said.push(line);
        if (line.startsWith("File: ")) done(true);
      });
      void wire.#ended.then(() => done(false));
    });
    if (begun) return wire;
    return `dumpcap may not capture: ${said[0] ?? "it said nothing"}`;
  }

  async close(): Promise<void> {
    this.#process.kill("SIGTERM");
    await this.#ended;
  }

  #read(chunk: Uint8Array): void {
    this.#held = joined(this.#held, chunk);
    const frames = framesOf(this.#held) ?? [];
    if (frames.length === 0) return;
    const read = frames.reduce((sum, { bytes }) => sum + PACKET_HEADER + bytes.length, FILE_HEADER);
    for (const { at, ...frame } of frames) {
      const timed = { ...frame, at: fromTimeOfDay(at) };
      for (const one of this.#messages.read(timed)) this.#told(one);
    }
    this.#held = joined(this.#held.subarray(0, FILE_HEADER), this.#held.subarray(read));
  }
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array {
  return new Uint8Array(Buffer.concat([one, other]));
}
