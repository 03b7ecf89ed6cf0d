/** Where traces come from and commands go to. */
import type { Greeting, PageCommand, RecordBatch, TraceHeader } from "../../protocol.ts";

/** Told what happens. */
export interface Sink {
  /** Everything known before is void. */
  greeted(greeting: Greeting): void;
  traced(header: TraceHeader): void;
  recorded(batch: RecordBatch): void;
  /** Whether there is somebody at the other end. */
  connected(there: boolean): void;
}

export interface Source {
  start(sink: Sink): void;
  /** @throws Refused in words for people. */
  send(command: PageCommand): Promise<void>;
}

/** A command was not obeyed; `token`: for want of the token. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly token: boolean;

  constructor(why: string, token: boolean) {
    super(why);
    this.token = token;
  }
}
