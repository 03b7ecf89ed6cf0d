/**
 * What may be typed into a running lab: single keys in a terminal, the same as words on lines otherwise
 * (`kill primary`, `call alice bob`), so that a script can drive it too.
 */
import type { Deed, ServerFault } from "../scenario/scenario.ts";

/** Something done to the stage. */
export type LabAction =
  | { readonly kind: "fault"; readonly server: string; readonly fault: ServerFault }
  | { readonly kind: "call"; readonly from: string; readonly to: string }
  | { readonly kind: "hangup"; readonly phone: string };

export type LabCommand =
  | LabAction
  /** Plays a scenario beside the lab. */
  | { readonly kind: "play"; readonly scenario: string }
  | { readonly kind: "menu" }
  | { readonly kind: "quit" }
  | { readonly kind: "help" };

export interface Cast {
  readonly servers: readonly string[];
  readonly phones: readonly string[];
  /** Scenarios that can be played; a letter each, from a to z, then from A to Z. */
  readonly scenarios: readonly string[];
  /** `up`, `killed`, `frozen`, or a fault. */
  stateOf(server: string): string;
}

/** As scenarios and pages have it done. */
export function deedOf(action: LabAction): Deed {
  switch (action.kind) {
    case "fault":
      return { do: "fault", server: action.server, fault: action.fault };
    case "call":
      return { do: "phone", phone: action.from, command: { kind: "call", to: action.to } };
    case "hangup":
      return { do: "phone", phone: action.phone, command: { kind: "hangup" } };
  }
}

export const HELP =
  "1-9 kill or revive a server · f freeze · e answer 503 · d drop (then its digit) · c call · h hang up · p play · q quit";

/** The same where there is no terminal, and lines are read. */
export const LINES_HELP =
  "kill|freeze|revive|drop|refuse|heal SERVER · answer-503 SERVER [SECONDS] · call PHONE PHONE · hangup PHONE · play SCENARIO · quit";

/** Which letter plays which scenario. */
export function menuOf(scenarios: readonly string[]): string {
  const told = scenarios.slice(0, LETTERS.length);
  return told.map((name, index) => `${letterOf(index)} ${name}`).join(" · ");
}

const LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** Undefined where there are more scenarios than letters. */
function letterOf(index: number): string | undefined {
  return LETTERS[index];
}

const CTRL_C = "\u0003";
const PREFIXES: Readonly<Record<string, ServerFault>> = {
  f: { kind: "freeze" },
  e: { kind: "answer-503", retryAfterSeconds: undefined },
  d: { kind: "drop" },
};

/** Turns keys into commands; a fault's letter waits for the server's digit, `p` for a scenario's letter. */
export class Keys {
  readonly #cast: Cast;
  #prefix: ServerFault | undefined;
  #choosing = false;
  #calls = 0;

  constructor(cast: Cast) {
    this.#cast = cast;
  }

  pressed(key: string): LabCommand | undefined {
    if (this.#choosing && key !== CTRL_C) return this.#choose(key);
    const prefix = this.#prefix;
    this.#prefix = PREFIXES[key];
    if (/^[1-9]$/.test(key)) return this.#digit(Number(key), prefix);
    switch (key) {
      case "c":
        return this.#call();
      case "h":
        return { kind: "hangup", phone: this.#cast.phones[0] ?? "" };
      case "p":
        this.#choosing = true;
        return { kind: "menu" };
      case "q":
      case CTRL_C:
        return { kind: "quit" };
      case "?":
        return { kind: "help" };
      default:
        return undefined;
    }
  }

  #choose(key: string): LabCommand | undefined {
    this.#choosing = false;
    const scenario = this.#cast.scenarios.find((_name, index) => letterOf(index) === key);
    return scenario === undefined ? undefined : { kind: "play", scenario };
  }

  #digit(number: number, prefix: ServerFault | undefined): LabCommand | undefined {
    const server = this.#cast.servers[number - 1];
    if (server === undefined) return undefined;
    return { kind: "fault", server, fault: prefix ?? this.#remedy(server) };
  }

  /** What a bare digit does: the opposite of how the server stands. */
  #remedy(server: string): ServerFault {
    const state = this.#cast.stateOf(server);
    if (state === "up") return { kind: "kill" };
    const down = state === "killed" || state === "frozen" || state === "died" || state === "down";
    return down ? { kind: "revive" } : { kind: "heal" };
  }

  /** The first phone calls the others in turn. */
  #call(): LabCommand | undefined {
    const [from, ...others] = this.#cast.phones;
    const to = others[this.#calls % Math.max(1, others.length)];
    if (from === undefined || to === undefined) return undefined;
    this.#calls += 1;
    return { kind: "call", from, to };
  }
}

const FAULT_WORDS = ["kill", "freeze", "revive", "drop", "refuse", "heal"] as const;

/** Undefined if the line is no command. */
export function parseLine(line: string, cast: Cast): LabCommand | undefined {
  const [word = "", first = "", second = ""] = line.trim().split(/\s+/);
  if (word === "quit") return { kind: "quit" };
  if (word === "help") return { kind: "help" };
  if (word === "play" && cast.scenarios.includes(first)) return { kind: "play", scenario: first };
  const isPhone = (name: string): boolean => cast.phones.includes(name);
  if (word === "call" && isPhone(first) && isPhone(second)) {
    return { kind: "call", from: first, to: second };
  }
  if (word === "hangup" && isPhone(first)) return { kind: "hangup", phone: first };
  if (!cast.servers.includes(first)) return undefined;
  const kind = FAULT_WORDS.find((candidate) => candidate === word);
  if (kind !== undefined) return { kind: "fault", server: first, fault: { kind } };
  if (word !== "answer-503" || !/^\d*$/.test(second)) return undefined;
  const retryAfterSeconds = second === "" ? undefined : Number(second);
  return { kind: "fault", server: first, fault: { kind: "answer-503", retryAfterSeconds } };
}
