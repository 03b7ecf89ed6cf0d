/**
 * A stage that can be held: while it is, the play waits before its next deed, and `step` lets one deed through. What is on
 * the stage goes on living: real time cannot be stopped.
 */
import type { TraceRecord } from "../trace/record.ts";
import type {
  DnsFault,
  Ends,
  PhoneCommand,
  ServerFault,
  Topology,
  WayFault,
} from "./scenario.ts";
import type { Stage } from "./stage.ts";

export class HeldStage implements Stage {
  readonly #stage: Stage;
  #held = false;
  /** Whoever waits to do something. */
  #waiting: () => void = () => undefined;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  get held(): boolean {
    return this.#held;
  }

  pause(): void {
    this.#held = true;
  }

  resume(): void {
    this.#held = false;
    this.#waiting();
  }

  /** One deed; the next one waits again. */
  step(): void {
    this.#held = true;
    this.#waiting();
  }

  get records(): readonly TraceRecord[] {
    return this.#stage.records;
  }

  now(): number {
    return this.#stage.now();
  }

  note(record: TraceRecord): void {
    this.#stage.note(record);
  }

  open(topology: Topology): Promise<void> {
    return this.#stage.open(topology);
  }

  async startServer(name: string): Promise<number> {
    await this.#turn();
    return await this.#stage.startServer(name);
  }

  async startPhone(name: string): Promise<number> {
    await this.#turn();
    return await this.#stage.startPhone(name);
  }

  async stopPhone(name: string): Promise<number> {
    await this.#turn();
    return await this.#stage.stopPhone(name);
  }

  async disturbServer(name: string, fault: ServerFault): Promise<number> {
    await this.#turn();
    return await this.#stage.disturbServer(name, fault);
  }

  async disturbWay(ends: Ends, fault: WayFault): Promise<number> {
    await this.#turn();
    return await this.#stage.disturbWay(ends, fault);
  }

  async disturbDns(fault: DnsFault): Promise<number> {
    await this.#turn();
    return await this.#stage.disturbDns(fault);
  }

  async commandPhone(name: string, command: PhoneCommand): Promise<number> {
    await this.#turn();
    return await this.#stage.commandPhone(name, command);
  }

  pass(until: number): Promise<void> {
    return this.#stage.pass(until);
  }

  close(): Promise<void> {
    return this.#stage.close();
  }

  async #turn(): Promise<void> {
    if (!this.#held) return;
    await new Promise<void>((done) => {
      this.#waiting = done;
    });
    this.#waiting = () => undefined;
  }
}
