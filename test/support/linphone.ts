/**
 * linphone-cli (linphonec) without a sound card: it says what a WAV file says, keeps what it hears, and is steered over
 * its standard input, as a person would.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { linphoneConfiguration } from "../../src/apps/lab/guests/linphone-config.ts";
import { spokenTone } from "../../src/apps/lab/guests/spoken.ts";
import { readWav } from "../../src/core/media/wav.ts";
import { findPeer } from "./peers.ts";
import { type Household, type Running, reached } from "./processes.ts";
import { recordedIn, secondsOfTone } from "./tones.ts";

/** Longer than any call of a test. */
const SPOKEN_SECONDS = 20;

export interface LinphoneSettings {
  readonly address: string;
  /** `sip:127.0.0.13:5061;transport=tls`. */
  readonly server: string;
  /** A PEM file of the authority that it believes. */
  readonly authority: string;
  readonly user: string;
  readonly domain: string;
  readonly password: string;
  /** What it says, in hertz. */
  readonly hertz: number;
}

export class Linphone {
  readonly process: Running;
  readonly #folder: string;
  #recordings = 0;

  private constructor(process: Running, folder: string) {
    this.process = process;
    this.#folder = folder;
  }

  /** Resolves when it takes commands; registering goes on. */
  static async start(
    household: Household,
    name: string,
    settings: LinphoneSettings,
  ): Promise<Linphone> {
    const folder = household.path(name);
    // It keeps its history below its home, and does not make the folders by itself.
    mkdirSync(`${folder}/.local/share/linphone`, { recursive: true });
    const plan = { ...settings, expiresSeconds: 60 };
    writeFileSync(`${folder}/linphonerc`, linphoneConfiguration(plan));
    writeFileSync(`${folder}/spoken.wav`, spokenTone(settings.hertz, SPOKEN_SECONDS));
    const program = findPeer("linphonec") as string;
    const process = household.spawn(name, "env", [
      ...[`HOME=${folder}`, "LANG=C", program, "-c", `${folder}/linphonerc`],
      ...["-d", "0", "-l", `${folder}/linphone.log`],
    ]);
    const linphone = new Linphone(process, folder);
    linphone.command("soundcard use files");
    await process.line(/Using wav files instead of soundcard/);
    return linphone;
  }

  /** Where its output stands now: what is asked for from here on came later. */
  get mark(): number {
    return this.process.lines.length;
  }

  /** `call URI`, `answer`, `terminate`, `unregister`: as its help has them. */
  command(text: string): void {
    this.process.write(`${text}\n`);
  }

  /** Says its tone in the call that is up, and keeps what it hears. */
  speak(): void {
    this.#recordings += 1;
    this.command(`play ${this.#folder}/spoken.wav`);
    this.command(`record ${this.#recording}`);
  }

  /** Waits until it has heard so many seconds of a tone since it spoke. */
  async hears(hertz: number, seconds: number): Promise<void> {
    const path = this.#recording;
    await reached(`${seconds} s of ${hertz} Hz at ${this.process.name}`, () => {
      return secondsOfTone(recordedIn(path), hertz) >= seconds;
    });
  }

  /** What it has heard since it spoke, in a call that is over: 8 kHz. */
  heard(): Int16Array {
    const audio = readWav(readFileSync(this.#recording));
    if (audio.kind === "bad-wav") throw new Error(`linphone's recording: ${audio.why}`);
    return audio.samples;
  }

  /** It ends without unregistering, unless told to before. */
  async quit(): Promise<void> {
    this.command("quit");
    await this.process.exited;
  }

  get #recording(): string {
    return `${this.#folder}/heard-${this.#recordings}.wav`;
  }
}
