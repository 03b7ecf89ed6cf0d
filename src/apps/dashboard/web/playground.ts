/** What the playground's controls stand at, and the run that comes of it. */
import type { ShownPhone } from "../protocol.ts";
import { type Knob, readKnob, writeKnob } from "./model/knobs.ts";
import type { PlaygroundSource } from "./sources/playground.ts";
import type { Conditions, Finding } from "./sources/worker-protocol.ts";
import type { Store } from "./store.ts";

type Files = ShownPhone["files"];

export interface Choice {
  readonly name: string;
  readonly title: string;
  readonly text: string;
}

/** A change while a slider is moved is acted on after so long, milliseconds. */
const SETTLE_MS = 250;
/** Speeds that can be chosen; 0 is as fast as it can be computed. */
export const SPEEDS: readonly number[] = [1, 10, 100, 0];

export class Playground {
  readonly choices: readonly Choice[];
  readonly #store: Store;
  readonly #source: PlaygroundSource;
  choice: Choice;
  /** Edited files by phone; others stand as the scenario has them. */
  files: Record<string, Files> = {};
  phone = "";
  findings: readonly Finding[] = [];
  loss = 0;
  latencyMs = 2.5;
  seed = 1;
  speed = 1;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(store: Store, source: PlaygroundSource) {
    this.#store = store;
    this.#source = source;
    this.choices = embeddedScenarios();
    this.choice = this.choices[0] as Choice;
    source.tellNews({
      found: (findings) => {
        this.findings = findings;
        store.changed();
      },
      failed: (why) => store.set({ notice: why }),
    });
  }

  /** From the beginning, under the conditions as they stand. */
  again(): void {
    clearTimeout(this.#timer);
    this.#store.notice = "";
    const { choice, files, loss, latencyMs, seed, speed } = this;
    const conditions: Conditions = {
      scenario: { name: choice.name, text: choice.text },
      files,
      loss,
      latencyMs,
      seed,
      speed: speed === 0 ? Number.POSITIVE_INFINITY : speed,
    };
    this.#source.load(conditions);
  }

  choose(name: string): void {
    this.choice = this.choices.find((one) => one.name === name) ?? this.choice;
    this.files = {};
    this.phone = "";
    this.again();
  }

  setSpeed(speed: number): void {
    this.speed = speed;
    this.#source.setSpeed(speed === 0 ? Number.POSITIVE_INFINITY : speed);
    this.#store.changed();
  }

  set(changes: Partial<Pick<Playground, "loss" | "latencyMs" | "seed" | "phone">>): void {
    Object.assign(this, changes);
    this.#soon();
  }

  /** The phone whose files are looked at. */
  get shownPhone(): ShownPhone | undefined {
    const phones = this.#store.current?.header.phones ?? [];
    return phones.find(({ name }) => name === this.phone) ?? phones[0];
  }

  filesOf(phone: ShownPhone): Files {
    return this.files[phone.name] ?? phone.files;
  }

  edit(phone: ShownPhone, files: Files): void {
    this.files = { ...this.files, [phone.name]: files };
    this.#store.changed();
  }

  knob(knob: Knob): number | undefined {
    const phone = this.shownPhone;
    return phone === undefined ? undefined : readKnob(knob, this.filesOf(phone));
  }

  /** For every phone: the sliders are about the fleet, the editor is about one. */
  turn(knob: Knob, value: number): void {
    for (const phone of this.#store.current?.header.phones ?? []) {
      this.files = { ...this.files, [phone.name]: writeKnob(knob, this.filesOf(phone), value) };
    }
    this.#soon();
  }

  #soon(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.again(), SETTLE_MS);
    this.#store.changed();
  }
}

/** Put into the document by `scripts/page.mjs`. */
function embeddedScenarios(): readonly Choice[] {
  const text = document.getElementById("scenarios")?.textContent ?? "[]";
  const pairs = JSON.parse(text) as [name: string, text: string][];
  return pairs.map(([name, source]) => ({
    name,
    title: /^title: *(.*)$/m.exec(source)?.[1] ?? name,
    text: source,
  }));
}
