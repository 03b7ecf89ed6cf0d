/**
 * baresip without a sound card: it says what a WAV file says, keeps what it hears, and is steered over its control port
 * (netstrings of JSON).
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { baresipConfiguration } from "../../src/apps/lab/guests/baresip-config.ts";
import {
  BaresipControl,
  CONTROL_PORT,
  dialPort,
} from "../../src/apps/lab/guests/baresip-control.ts";
import { spokenTone } from "../../src/apps/lab/guests/spoken.ts";
import { readWav } from "../../src/core/media/wav.ts";
import { findPeer } from "./peers.ts";
import { type Household, type Running, reached } from "./processes.ts";
import { recordedIn, secondsOfTone } from "./tones.ts";

/** Longer than any call of a test. */
const SPOKEN_SECONDS = 30;

export interface BaresipSettings {
  /** Of the process and its folder; "baresip" if left out. */
  readonly name?: string;
  readonly address: string;
  /** `HOST:PORT`; that of the system if left out. */
  readonly dns?: string;
  /** A PEM file of the authority that it believes. */
  readonly authority?: string;
  readonly user: string;
  readonly domain: string;
  readonly password: string;
  /** What it says, in hertz. */
  readonly hertz: number;
  /** Further parameters of its account, each with its semicolon. */
  readonly parameters?: string;
  /** Further applications, `mwi.so` for one. */
  readonly applications?: readonly string[];
  /** Whom `contact.so` knows, a line each. */
  readonly contacts?: readonly string[];
}

export interface BaresipEvent {
  /** `CALL_ESTABLISHED`, `CALL_CLOSED` … */
  readonly type: string;
  readonly [field: string]: unknown;
}

export class Baresip {
  readonly process: Running;
  readonly events: BaresipEvent[] = [];
  /** Where it keeps what it hears. */
  readonly #folder: string;
  #control: BaresipControl | undefined;
  readonly #known = new Set<string>();

  private constructor(process: Running, folder: string) {
    this.process = process;
    this.#folder = folder;
  }

  /** Resolves when it can be steered; registering goes on. */
  static async start(household: Household, settings: BaresipSettings): Promise<Baresip> {
    const { name = "baresip" } = settings;
    const folder = household.path(name);
    const heard = `${folder}/heard`;
    mkdirSync(heard, { recursive: true });
    const { user, domain, password, hertz, parameters = "" } = settings;
    writeFileSync(`${folder}/spoken.wav`, spokenTone(hertz, SPOKEN_SECONDS));
    const instance = settings.parameters !== undefined;
    writeFileSync(`${folder}/config`, baresipConfiguration(folder, { ...settings, instance }));
    writeFileSync(`${folder}/contacts`, (settings.contacts ?? []).join("\n"));
    writeFileSync(
      `${folder}/accounts`,
      `<sip:${user}@${domain}>;regint=60;auth_user=${user};auth_pass=${password}${parameters}\n`,
    );
    const process = household.spawn(name, findPeer("baresip") as string, ["-f", folder, "-4"]);
    const baresip = new Baresip(process, heard);
    await baresip.#connect(settings.address);
    return baresip;
  }

  get mark(): number {
    return this.events.length;
  }

  /** Waits for the first event after `from` of a type. */
  async event(type: string, from = 0): Promise<BaresipEvent> {
    let found: BaresipEvent | undefined;
    await reached(`${type} of baresip`, () => {
      found = this.events.slice(from).find((event) => event.type === type);
      return found !== undefined;
    });
    return found as BaresipEvent;
  }

  /** `dial`, `accept`, `hangup`: as its menu has them. */
  command(command: string, params = ""): void {
    this.#control?.command(command, params);
  }

  /** Waits until it has heard so many seconds of a tone in a call whose recording was not asked for yet. */
  async hears(hertz: number, seconds: number): Promise<void> {
    await reached(`${seconds} s of ${hertz} Hz at baresip`, () =>
      this.#fresh().some((path) => secondsOfTone(recordedIn(path), hertz) >= seconds),
    );
  }

  /** What it has heard in the calls since it was asked last: 8 kHz. */
  heard(): Int16Array {
    const samples: number[] = [];
    for (const path of this.#fresh()) {
      this.#known.add(path);
      const audio = readWav(readFileSync(path));
      if (audio.kind === "bad-wav") throw new Error(`baresip's recording: ${audio.why}`);
      for (const sample of audio.samples) samples.push(sample);
    }
    return Int16Array.from(samples);
  }

  /** Recordings of what it decoded, not asked for yet. */
  #fresh(): string[] {
    return readdirSync(this.#folder)
      .filter((name) => name.endsWith("dec.wav"))
      .map((name) => `${this.#folder}/${name}`)
      .filter((path) => !this.#known.has(path));
  }

  /** The port is not there before the modules are loaded. */
  async #connect(address: string): Promise<void> {
    await reached("baresip's control port", async () => {
      if (!this.process.running) throw new Error(`baresip:\n${this.process.lines.join("\n")}`);
      const line = await dialPort(address, CONTROL_PORT);
      if (line === undefined) return false;
      this.#control = new BaresipControl(line, (message) => {
        if ("event" in message) this.events.push(message as BaresipEvent);
      });
      return true;
    });
  }
}
