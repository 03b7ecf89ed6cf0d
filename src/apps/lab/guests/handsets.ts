/** baresip and linphone as phones of the lab: their files, and how somebody dials and hangs up on them. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { makeFolder } from "../../../worlds/node/folder.ts";
import type { GuestPhone, PhoneCommand, PhonePlan } from "../../scenario/scenario.ts";
import { StageFault } from "../../scenario/stage.ts";
import type { TraceRecord } from "../../trace/record.ts";
import { AUTHORITY } from "../certificates.ts";
import type { Ground } from "../process-arguments.ts";
import { baresipConfiguration } from "./baresip-config.ts";
import { BaresipControl, type BaresipMessage } from "./baresip-control.ts";
import type { Guest, Launch } from "./guest.ts";
import { linphoneConfiguration } from "./linphone-config.ts";
import { spokenTone } from "./spoken.ts";

/** They say a tone of so many hertz, for longer than calls of scenarios last. */
const HERTZ = 1000;
const SPOKEN_SECONDS = 60;
/** How often baresip is asked whether it can be steered, milliseconds. */
const LOOK_MS = 20;
/** linphone may take so long to be done with a call, milliseconds. */
const PATIENCE_MS = 5000;

/** A phone of others, as its user has it in the hand. */
export interface Handset {
  /**
   * Resolves with the instant at which it was told.
   * @throws StageFault when it refuses.
   */
  obey(command: PhoneCommand, uri: string, clock: () => number): Promise<number>;
  /** A line that it said. */
  said(line: string): void;
}

/** Everything but the program, and its address. */
export async function launchPhone(
  plan: PhonePlan,
  guest: GuestPhone,
  index: number,
  ground: Ground,
): Promise<Omit<Launch, "program">> {
  const folder = join(ground.folder, plan.name);
  makeFolder(join(folder, "heard"));
  await writeFile(join(folder, "spoken.wav"), spokenTone(HERTZ, SPOKEN_SECONDS));
  const { address } = ground.block.phone(index);
  const site = { plan, guest, address, folder, ground };
  return guest.program === "baresip" ? await baresipLaunch(site) : await linphoneLaunch(site);
}

/** One phone of others, and where it stands. */
interface Site {
  readonly plan: PhonePlan;
  readonly guest: GuestPhone;
  readonly address: string;
  readonly folder: string;
  readonly ground: Ground;
}

/** Resolves when it can be steered. */
export async function takeUp(
  guest: Guest,
  program: GuestPhone["program"],
  dial: () => Promise<Duplex | undefined>,
  folder: string,
  told: (event: Omit<TraceRecord, "at">) => void,
): Promise<Handset> {
  if (program === "linphone") return new LinphoneHandset(guest, folder);
  const handset = new BaresipHandset(guest, told);
  while (guest.running && !(await handset.open(dial))) {
    await new Promise((done) => setTimeout(done, LOOK_MS));
  }
  return handset;
}

async function baresipLaunch(site: Site): Promise<Omit<Launch, "program">> {
  const { address, folder } = site;
  const { user, password, answer } = site.plan;
  const { topology, placeholders } = site.ground;
  const parameters = [
    `transport=${site.guest.transport}>`,
    `regint=${site.guest.expiresSeconds}`,
    `auth_user=${user}`,
    `auth_pass=${password}`,
    `answermode=${answer === "auto" ? "auto" : "manual"}`,
    // By the names of the zone, as ours; to an address where there is none to look up.
    ...(topology.zone === undefined ? [`outbound="${serverUri(site)}"`] : []),
  ];
  const dns = topology.zone === undefined ? {} : { dns: placeholders.get("dns") ?? "" };
  const account = `<sip:${user}@${topology.domain};${parameters.join(";")}\n`;
  await writeFile(join(folder, "accounts"), account);
  await writeFile(join(folder, "contacts"), "");
  const settings = { address, instance: true, authority: AUTHORITY, ...dns };
  const config = baresipConfiguration(folder, settings);
  await writeFile(join(folder, "config"), config);
  return { args: ["-f", folder, "-4"], folder };
}

async function linphoneLaunch(site: Site): Promise<Omit<Launch, "program">> {
  const { address, folder } = site;
  const { user, password, answer } = site.plan;
  const { domain } = site.ground.topology;
  const { expiresSeconds } = site.guest;
  const file = join(folder, "linphonerc");
  const account = { user, password, domain, expiresSeconds };
  const settings = { ...account, address, server: serverUri(site), authority: AUTHORITY };
  await writeFile(file, linphoneConfiguration(settings));
  // It keeps its history below its home, and does not make the folders by itself.
  makeFolder(join(folder, ".local", "share", "linphone"));
  const quiet = ["-d", "0", "-l", join(folder, "linphone.log")];
  const args = ["-c", file, ...quiet, ...(answer === "auto" ? ["-a"] : [])];
  return { args, folder, environment: { HOME: folder }, farewell: { typed: "unregister\nquit" } };
}

function serverUri({ guest: { server, transport }, ground: { placeholders } }: Site): string {
  const port = placeholders.get(`${server}.${transport === "tls" ? "tls" : "port"}`) ?? "";
  return `sip:${placeholders.get(server) ?? server}:${port};transport=${transport}`;
}

class BaresipHandset implements Handset {
  readonly #guest: Guest;
  readonly #told: (event: Omit<TraceRecord, "at">) => void;
  readonly #waiting = new Map<string, (answer: BaresipMessage) => void>();
  #control: BaresipControl | undefined;
  #commands = 0;

  constructor(guest: Guest, told: (event: Omit<TraceRecord, "at">) => void) {
    this.#guest = guest;
    this.#told = told;
  }

  async open(dial: () => Promise<Duplex | undefined>): Promise<boolean> {
    const line = await dial();
    if (line === undefined) return false;
    this.#control = new BaresipControl(line, (message) => this.#heard(message));
    line.once("close", () => {
      for (const heard of this.#waiting.values()) heard({ ok: false, data: "it has ended" });
    });
    return true;
  }

  async obey(command: PhoneCommand, uri: string, clock: () => number): Promise<number> {
    this.#commands += 1;
    const token = String(this.#commands);
    const answered = new Promise<BaresipMessage>((heard) => this.#waiting.set(token, heard));
    const word = command.kind === "call" ? "dial" : command.kind;
    const at = clock();
    this.#control?.command(word, command.kind === "call" ? uri : "", token);
    // Frozen, it obeys later.
    if (this.#guest.frozen) return at;
    const { ok, data } = await answered;
    if (ok !== true) throw new StageFault(`${this.#guest.name}: ${word}: ${String(data)}`);
    return at;
  }

  said(): void {
    // What it does is told on its control port.
  }

  #heard(message: BaresipMessage): void {
    if (message.response === true) {
      const token = String(message.token);
      this.#waiting.get(token)?.(message);
      this.#waiting.delete(token);
      return;
    }
    const fields = { type: String(message.type), param: String(message.param ?? "") };
    this.#told({ node: this.#guest.name, event: "process.told", ...fields });
  }
}

const LINPHONE_WORDS: Readonly<Record<PhoneCommand["kind"], string>> = {
  call: "call",
  hangup: "terminate",
  hold: "pause",
  resume: "resume",
};

class LinphoneHandset implements Handset {
  readonly #guest: Guest;
  readonly #folder: string;
  /** Calls that it has not done with; before, it dials nobody else. */
  #calls = 0;
  #idle: () => void = () => undefined;

  constructor(guest: Guest, folder: string) {
    this.#guest = guest;
    this.#folder = folder;
    guest.type("soundcard use files");
  }

  /** It answers in words for people only: what came of it is seen in its messages. */
  async obey(command: PhoneCommand, uri: string, clock: () => number): Promise<number> {
    const word = LINPHONE_WORDS[command.kind];
    if (command.kind === "call" && this.#calls > 0) await this.#done();
    const at = clock();
    this.#guest.type(command.kind === "call" ? `${word} ${uri}` : word);
    return at;
  }

  said(line: string): void {
    if (/, assigned id \d+/.test(line)) this.#calls += 1;
    if (/Call \d+ with .* ended/.test(line)) {
      this.#calls -= 1;
      if (this.#calls === 0) this.#idle();
    }
    if (/Media streams established/.test(line)) {
      this.#guest.type(`play ${join(this.#folder, "spoken.wav")}`);
    }
  }

  /** A call that hangs is no reason to wait for ever. */
  async #done(): Promise<void> {
    await new Promise<void>((done) => {
      const timer = setTimeout(done, PATIENCE_MS);
      this.#idle = () => {
        clearTimeout(timer);
        done();
      };
    });
  }
}
