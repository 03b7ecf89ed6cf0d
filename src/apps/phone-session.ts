/** One run of `dialtone phone`: from the first event to an orderly end. */
import { writeFile } from "node:fs/promises";
import { farewell } from "../api/farewell.ts";
import type { Instant } from "../core/machine.ts";
import { writeWav } from "../core/media/wav.ts";
import { dialled } from "../core/phone/dialled.ts";
import type { Phone } from "../core/phone/phone.ts";
import type { PhoneConfig } from "../core/phone/phone-config.ts";
import type { PhoneMachine } from "../core/phone/phone-machine.ts";
import type { AccountPolicy } from "../core/redundancy/policy.ts";
import type { TraceEvent } from "../core/vocabulary.ts";
import type { Driver, TimedEvent } from "../worlds/node/driver.ts";
import { FaultBook } from "../worlds/node/fault-book.ts";
import { nodePrimitives } from "../worlds/node/primitives.ts";
import {
  type Control,
  controlText,
  obeyedEvent,
  readControl,
  refusedEvent,
  unreadEvent,
} from "./control.ts";
import { FAULT_WORDS, obeyFault } from "./control-faults.ts";
import { EXIT, whyUnbound } from "./exit.ts";
import { FirstCall, type FirstCallDecision } from "./first-call.ts";
import type { PhoneFlags } from "./phone-options.ts";

/** What `--control` takes. */
const COMMANDS: readonly string[] = [
  "call",
  "hangup",
  "answer",
  "hold",
  "resume",
  "transfer",
  "keys",
  "stop",
];

export class PhoneSession {
  readonly #machine: PhoneMachine;
  readonly #flags: PhoneFlags;
  #config: PhoneConfig | undefined;
  #driver: Driver | undefined;
  #faults: FaultBook | undefined;
  #phone: Phone | undefined;
  /** When the call of `--call` is placed; undefined: none is asked for, or it has been. */
  #first: FirstCall | undefined;
  #answered = false;
  #leaving = false;
  #exitCode: number = EXIT.ok;
  #hangup: NodeJS.Timeout | undefined;
  #gone: (() => void) | undefined;

  constructor(machine: PhoneMachine, flags: PhoneFlags) {
    this.#machine = machine;
    this.#flags = flags;
  }

  /** Runs until a signal, the end of the call that was asked for, or a fatal fault. */
  async run(driver: Driver, config: PhoneConfig): Promise<void> {
    this.#config = config;
    if (this.#flags.call !== undefined) this.#first = new FirstCall(config.accounts);
    this.#driver = driver;
    this.#faults = new FaultBook(driver, nodePrimitives().entropy);
    const gone = new Promise<void>((resolve) => {
      this.#gone = resolve;
    });
    for (const signal of ["SIGINT", "SIGTERM"] as const)
      process.on(signal, () => this.#signalled());
    process.on("SIGHUP", () => this.#leave(EXIT.ok));
    const unread = this.#flags.control === true ? this.#obeyControl() : () => undefined;
    const phone = this.#machine.add(config);
    this.#phone = phone;
    driver.run(() => phone.start());
    await gone;
    unread();
    clearTimeout(this.#hangup);
    await this.#keepRecording(phone);
    driver.run(() => this.#machine.close());
    await driver.stop();
    process.exitCode = this.#exitCode;
  }

  /** Every event of the phone passes here after it was printed. */
  saw(event: TimedEvent): void {
    switch (event.event) {
      case "phone.started":
        this.#callOnce(this.#first?.started());
        break;
      case "registration.accepted":
        this.#callOnce(this.#first?.registered(event.account));
        break;
      case "registration.failed":
        this.#callOnce(
          this.#first?.failed(event.account, event.server, String(event.status ?? event.why)),
        );
        break;
      case "call.answered":
        this.#answered = true;
        this.#hangupLater();
        break;
      case "call.ended":
        if (this.#flags.call !== undefined) this.#leave(this.#answered ? EXIT.ok : EXIT.failed);
        break;
      case "phone.failed":
        process.stderr.write(`${this.#deafness(String(event.why))}\n`);
        this.#leave(EXIT.missing);
        break;
    }
  }

  /** Which port cannot be had, and what to do. */
  #deafness(why: string): string {
    const { bindAddress = "", localPort = 0 } = this.#config ?? {};
    const host = bindAddress.includes(":") ? `[${bindAddress}]` : bindAddress;
    return `udp:${host}:${localPort}: ${whyUnbound(why)}; name another with --port or --bind`;
  }

  #callOnce(decision: FirstCallDecision | undefined): void {
    const uri = this.#flags.call;
    if (uri === undefined || decision === undefined) return;
    this.#first = undefined;
    if (decision.kind === "hopeless") {
      process.stderr.write(`--call: ${decision.why}; the call was not tried\n`);
      this.#leave(EXIT.failed);
      return;
    }
    setImmediate(() => this.#act((phone) => phone.call(uri, decision.account)));
  }

  #hangupLater(): void {
    const seconds = this.#flags.for;
    if (seconds === undefined) return;
    this.#hangup = setTimeout(
      () => this.#act((phone, now) => phone.hangup(now)),
      Number(seconds) * 1000,
    );
  }

  #obeyControl(): () => void {
    return readControl(process.stdin, {
      obey: (control) => this.#obeyLine(control),
      refused: (why) => {
        process.stderr.write(`control: ${why}\n`);
        this.#report(unreadEvent(why));
      },
      ended: () => this.#leave(EXIT.ok),
    });
  }

  /** Does what a command says and tells it as an event. @returns why not. */
  obey(control: Control): string | undefined {
    const wrong = this.#wrongWith(control) ?? this.#disturb(control);
    if (wrong === undefined) {
      this.#report(obeyedEvent(control));
      this.#perform(control);
    } else this.#report(refusedEvent(control, wrong));
    return wrong;
  }

  #obeyLine(control: Control): void {
    const wrong = this.obey(control);
    if (wrong !== undefined) process.stderr.write(`control: ${wrong}\n`);
  }

  #wrongWith(control: Control): string | undefined {
    if (FAULT_WORDS.includes(control.do)) return undefined;
    if (!COMMANDS.includes(control.do)) {
      return `"${control.do}" is not known; say ${[...COMMANDS, ...FAULT_WORDS].join(", ")}`;
    }
    const to = controlText(control, "to", "");
    if (control.do === "transfer" && to === "") return undefined;
    if (control.do !== "call" && control.do !== "transfer") return undefined;
    if (dialled(to) === undefined) return `"${to}" cannot be dialled`;
    const account = controlText(control, "account", "");
    return account === "" || this.#accountNamed(account) !== undefined
      ? undefined
      : `there is no account "${account}"`;
  }

  #accountNamed(user: string): AccountPolicy | undefined {
    return this.#config?.accounts.find((account) => account.enabled && account.user === user);
  }

  #disturb(control: Control): string | undefined {
    const book = this.#faults;
    if (book === undefined || !FAULT_WORDS.includes(control.do)) return undefined;
    return obeyFault(control, book, this.#driver);
  }

  #report(event: TraceEvent): void {
    const driver = this.#driver;
    driver?.run(() => driver.report(event));
  }

  #perform(control: Control): void {
    switch (control.do) {
      case "call":
        this.#act((phone) =>
          phone.call(
            controlText(control, "to", ""),
            this.#accountNamed(controlText(control, "account", ""))?.index,
          ),
        );
        break;
      case "hangup":
        this.#act((phone, now) => phone.hangup(now));
        break;
      case "answer":
        this.#act((phone, now) => phone.answer(now));
        break;
      case "hold":
        this.#act((phone, now) => phone.hold(now));
        break;
      case "resume":
        this.#act((phone, now) => phone.resume(now));
        break;
      case "transfer": {
        const to = dialled(controlText(control, "to", ""));
        this.#act((phone, now) => phone.transfer(now, to));
        break;
      }
      case "keys":
        this.#act((phone) => phone.sendKeys(controlText(control, "keys", "")));
        break;
      case "stop":
        this.#leave(EXIT.ok);
        break;
    }
  }

  #act(deed: (phone: Phone, now: Instant) => void): void {
    const phone = this.#phone;
    if (phone !== undefined && !this.#leaving) this.#driver?.run((now) => deed(phone, now));
  }

  #signalled(): void {
    if (this.#leaving) process.exit(this.#exitCode);
    this.#leave(EXIT.ok);
  }

  /** Hangs up, unregisters, and waits for both, but not for ever. */
  #leave(exitCode: number): void {
    if (this.#leaving) return;
    this.#leaving = true;
    this.#exitCode = exitCode;
    setImmediate(async () => {
      if (this.#driver !== undefined && this.#phone !== undefined) {
        await farewell(this.#driver, this.#phone);
      }
      this.#gone?.();
    });
  }

  async #keepRecording(phone: Phone): Promise<void> {
    const path = this.#flags.record;
    if (path === undefined) return;
    try {
      await writeFile(path, writeWav(phone.recording));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      process.stderr.write(`${path}: the recording cannot be kept (${why})\n`);
      this.#exitCode = EXIT.missing;
    }
  }
}
