/** What really went over the loopback interface during a test, and what Wireshark's dissectors think of it. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createSocket } from "node:dgram";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { promisify } from "node:util";
import { DNS_PORT } from "./dnsmasq.ts";
import { findPeer } from "./peers.ts";
import { type Household, type Running, reached } from "./processes.ts";

const execute = promisify(execFile);

/** From here on Wireshark means that something is wrong with a packet, and not only remarkable (PI_WARN). */
const WARNING = 0x600000;
/** What our machines and their peers speak; a reset TCP connection is no fault of a message. */
const OURS = /:(sip|sdp|rtp|rtcp|dns)\b/;
/**
 * That and what it goes over. Whatever else a packet is taken for it is by its port alone: of those that the system
 * gives away Wireshark knows thirty by protocols that nobody speaks here, and finds these malformed.
 */
const SPOKEN = /:(sip|sdp|rtp|rtcp|dns|stun|http|websocket|tls)\b/;

/** One packet in tshark's eyes. */
interface Frame {
  /** `eth:ethertype:ip:udp:sip:sdp`. */
  readonly protocols: string;
  readonly fault: string | undefined;
}

export interface Dissection {
  /** Packets of each protocol. */
  readonly sip: number;
  readonly rtp: number;
  /** Those of SIP that came over TLS, as far as one of our processes was at an end of it, and over WebSocket. */
  readonly sipOverTls: number;
  readonly sipOverWebSocket: number;
  /** One line for each packet that is malformed, or wrong in a dissector's eyes. */
  readonly faults: readonly string[];
}

/** For what comes while dumpcap does not get its turn. */
const BUFFER_MEGABYTES = "16";
/** Where markers go: the discard port, where nobody listens. */
const MARKER_PORT = 9;
/** A marker is looked for in so many last bytes of the file. */
const TAIL_BYTES = 65_536;

/**
 * Wireshark takes every user part that begins with + for a telephone number. A user part may be any text (RFC 3261
 * §25.1), and of the flow tokens that Kamailio makes one in 64 begins so.
 */
const NO_NUMBER = "Country Code contains non-decimal digits";

export class Capture {
  readonly #household: Household;
  readonly #file: string;
  readonly #process: Running;

  private constructor(household: Household, file: string, process: Running) {
    this.#household = household;
    this.#file = file;
    this.#process = process;
  }

  /** Begins to capture everything of the household's addresses, or of the whole of a wider network. */
  static async start(household: Household, network: string = household.network): Promise<Capture> {
    const file = household.path("capture.pcapng");
    const program = (findPeer("tshark") as string).replace(/tshark$/, "dumpcap");
    const filter = `net ${network}`;
    const args = ["-i", "lo", "-q", "-B", BUFFER_MEGABYTES, "-f", filter, "-w", file];
    const process = household.spawn("dumpcap", program, args);
    await process.line(/^File: /);
    const capture = new Capture(household, file, process);
    await capture.#mark("the beginning");
    return capture;
  }

  /** Ends the capture and dissects it. */
  async dissect(): Promise<Dissection> {
    await this.#mark("the end");
    this.#process.signal("SIGINT");
    await this.#process.exited;
    const frames = await framesOf(this.#file, this.#household.keyLog);
    const count = (protocol: RegExp): number =>
      frames.filter(({ protocols }) => protocol.test(protocols)).length;
    return {
      sip: count(/:sip\b/),
      rtp: count(/:rtp\b/),
      sipOverTls: count(/:tls\b.*:sip\b/),
      sipOverWebSocket: count(/:websocket\b.*:sip\b/),
      faults: frames.flatMap(({ fault }) => (fault === undefined ? [] : [fault])),
    };
  }

  /** Ends the capture, in which there are at least so many packets and nothing wrong with any of them. */
  async assertClean(
    least: Partial<Record<keyof Omit<Dissection, "faults">, number>>,
  ): Promise<void> {
    const { faults, ...counts } = await this.dissect();
    assert.deepEqual(faults, [], "Wireshark finds no fault in any packet");
    for (const [name, count] of Object.entries(least)) {
      const seen = counts[name as keyof typeof counts];
      assert.ok(seen >= count, `${seen} packets of ${name}, at least ${count} wanted`);
    }
  }

  /** Sends datagrams until one is in the file: then everything before it is, too. */
  async #mark(text: string): Promise<void> {
    const socket = createSocket("udp4");
    const address = this.#household.address(1);
    await reached(`${text} of the capture`, () => {
      socket.send(`dialtone: ${text}`, MARKER_PORT, address);
      return tailOf(this.#file).includes(`dialtone: ${text}`);
    });
    await new Promise<void>((done) => socket.close(done));
  }
}

function tailOf(file: string): Buffer {
  const opened = openSync(file, "r");
  const bytes = Buffer.alloc(TAIL_BYTES);
  const start = Math.max(0, fstatSync(opened).size - TAIL_BYTES);
  const length = readSync(opened, bytes, 0, TAIL_BYTES, start);
  closeSync(opened);
  return bytes.subarray(0, length);
}

const FIELDS = [
  "frame.number",
  "frame.protocols",
  "_ws.expert.severity",
  "_ws.malformed",
  "_ws.expert.message",
  "_ws.col.Info",
];

async function framesOf(file: string, keyLog: string): Promise<Frame[]> {
  const tshark = findPeer("tshark") as string;
  const secrets = ["-o", `tls.keylog_file:${keyLog}`];
  const args = ["-r", file, ...secrets, "-d", `udp.port==${DNS_PORT},dns`, "-T", "fields"];
  const asked = FIELDS.flatMap((field) => ["-e", field]);
  const { stdout } = await execute(tshark, [...args, ...asked], { maxBuffer: 1 << 28 });
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map(frameOf);
}

function frameOf(line: string): Frame {
  const [, protocols = "", severities = "", malformed = "", messages = ""] = line.split("\t");
  if (messages.split(",").every((message) => message === NO_NUMBER)) {
    return { protocols, fault: undefined };
  }
  const wrong = severities.split(",").some((severity) => Number(severity) >= WARNING);
  const fault = (malformed !== "" && SPOKEN.test(protocols)) || (wrong && OURS.test(protocols));
  // What ICMP quotes is cut short by the system, wherever that may be.
  const quoted = /:icmp(v6)?:/.test(protocols);
  return { protocols, fault: fault && !quoted ? line : undefined };
}
