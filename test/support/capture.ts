/** What really went over the loopback interface during a test, and what Wireshark's dissectors think of it. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { DNS_PORT } from "./dnsmasq.ts";
import { findPeer } from "./peers.ts";
import type { Household, Running } from "./processes.ts";

const execute = promisify(execFile);

/** Wireshark's own word for "this is wrong", as a number (PI_ERROR). */
const ERROR_SEVERITY = 0x800000;

export interface Dissection {
  /** Packets of each protocol. */
  readonly sip: number;
  readonly rtp: number;
  /** One line for each packet that is malformed, or erroneous in a dissector's eyes. */
  readonly faults: readonly string[];
}

export class Capture {
  readonly #file: string;
  readonly #process: Running;

  private constructor(file: string, process: Running) {
    this.#file = file;
    this.#process = process;
  }

  /** Begins to capture everything of the household's addresses. */
  static async start(household: Household): Promise<Capture> {
    const file = household.path("capture.pcapng");
    const program = (findPeer("tshark") as string).replace(/tshark$/, "dumpcap");
    const filter = `net ${household.network}`;
    const args = ["-i", "lo", "-q", "-f", filter, "-w", file];
    const process = household.spawn("dumpcap", program, args);
    await process.line(/^File: /);
    return new Capture(file, process);
  }

  /** Ends the capture and dissects it. */
  async dissect(): Promise<Dissection> {
    this.#process.signal("SIGINT");
    await this.#process.exited;
    const [sip, rtp, faults] = await Promise.all([
      this.#frames("sip"),
      this.#frames("rtp"),
      this.#frames(`_ws.malformed || _ws.expert.severity >= ${ERROR_SEVERITY}`),
    ]);
    return { sip: sip.length, rtp: rtp.length, faults };
  }

  async #frames(filter: string): Promise<string[]> {
    const tshark = findPeer("tshark") as string;
    const args = ["-r", this.#file, "-d", `udp.port==${DNS_PORT},dns`, "-Y", filter];
    const fields = ["frame.number", "_ws.col.Protocol", "_ws.col.Info", "_ws.expert.message"];
    const asked = ["-T", "fields", ...fields.flatMap((field) => ["-e", field])];
    const { stdout } = await execute(tshark, [...args, ...asked], { maxBuffer: 1 << 28 });
    return stdout.split("\n").filter((line) => line !== "");
  }
}
