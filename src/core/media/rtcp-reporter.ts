/**
 * The reports of one stream (RFC 3550 §6.2, §6.3, R125): the first after half an interval, then one an interval, each
 * drawn at random around 5 s; BYE when the stream ends. For two participants 5 % of the bandwidth never are the limit.
 */
import { newTag, uniform } from "../identifiers.ts";
import type { FlowId, Instant, World } from "../machine.ts";
import type { Entropy } from "../primitives.ts";
import { Timer, type TimerOwner, type Timers } from "../timers.ts";
import { middleOf, parseCompound, printCompound } from "./rtcp.ts";
import type { Reception } from "./rtp.ts";

/** The stream that is reported on. */
export interface ReportedStream {
  readonly flow: FlowId;
  readonly ssrc: number;
  /** Packets and payload bytes sent. */
  readonly sent: number;
  readonly octets: number;
  readonly reception: Reception;
  /** The sampling clock at an instant. */
  timestampAt(now: Instant): number;
}

export interface ReporterEnvironment {
  readonly world: World;
  readonly timers: Timers;
  readonly entropy: Entropy;
}

const INTERVAL_MS = 5000;
/** e − 3/2: what the reconsideration of timers is made up for with (§6.3.1). */
const COMPENSATION = 1.21828;

export class RtcpReporter implements TimerOwner {
  /** Of our packets the peer misses so many; undefined: it has not said. */
  lostThere: number | undefined;
  /** The way there and back; undefined: not known yet. */
  roundTripMs: number | undefined;
  readonly #environment: ReporterEnvironment;
  readonly #stream: ReportedStream;
  readonly #timer: Timer;
  /** As RFC 7022 §4.2 wants it: new for each call. */
  readonly #cname: string;
  #reported = false;
  #sentBefore = 0;
  #heardReport = 0;
  #heardAt: Instant = 0;

  constructor(environment: ReporterEnvironment, stream: ReportedStream) {
    this.#environment = environment;
    this.#stream = stream;
    this.#timer = new Timer("rtcp", this);
    this.#cname = newTag(environment.entropy);
  }

  start(now: Instant): void {
    if (!this.#timer.pending) this.#wait(now, INTERVAL_MS / 2);
  }

  stop(): void {
    this.#environment.timers.silence(this.#timer);
  }

  /** BYE, if anything was ever reported (§6.3.7). */
  sayGoodbye(): void {
    const { flow, ssrc } = this.#stream;
    if (!this.#reported || flow === 0) return;
    const nothing = { sender: undefined, report: undefined };
    const bytes = printCompound({ ssrc, ...nothing, cname: this.#cname, goodbye: true });
    this.#environment.world.send(flow, bytes);
  }

  received(now: Instant, bytes: Uint8Array): void {
    const heard = parseCompound(bytes, this.#stream.ssrc);
    if (heard === undefined) return;
    if (heard.sentAt !== undefined) {
      this.#heardReport = heard.sentAt;
      this.#heardAt = now;
    }
    const { report } = heard;
    if (report === undefined) return;
    this.lostThere = report.lost;
    if (report.lastReport === 0) return;
    const trip = (middleOf(now) - report.lastReport - report.delay) | 0;
    // A peer that counts its delay wrong would make it negative.
    if (trip >= 0) this.roundTripMs = (trip / 65_536) * 1000;
  }

  rang(now: Instant): void {
    this.#send(now);
    this.#wait(now, INTERVAL_MS);
  }

  #wait(now: Instant, interval: number): void {
    const { timers, entropy } = this.#environment;
    const wait = (interval * uniform(entropy, 0.5, 1.5)) / COMPENSATION;
    timers.set(this.#timer, now + Math.round(wait));
  }

  #send(now: Instant): void {
    const { flow, ssrc, sent, octets, reception } = this.#stream;
    if (flow === 0) return;
    const source = reception.report();
    const heard = this.#heardReport;
    const delay = heard === 0 ? 0 : middleOf(now - this.#heardAt);
    const sends = sent > this.#sentBefore;
    this.#sentBefore = sent;
    this.#reported = true;
    const bytes = printCompound({
      ssrc,
      sender: sends
        ? { now, timestamp: this.#stream.timestampAt(now), packets: sent, octets }
        : undefined,
      report: source === undefined ? undefined : { ...source, lastReport: heard, delay },
      cname: this.#cname,
      goodbye: false,
    });
    this.#environment.world.send(flow, bytes);
  }
}
