/** The terminal of the live lab: a ladder that scrolls, and below it the state of everybody, drawn over in place. */
import type { WriteStream } from "node:tty";
import { LiveLadder } from "../trace/live-ladder.ts";
import type { TraceRecord } from "../trace/record.ts";
import type { StatusBoard } from "./status.ts";

const REFRESH_MS = 150;
const PLAIN_WIDTH = 110;
/** The heading is repeated after so many rows, so that a newcomer sees who is who. */
const HEADING_EVERY = 200;
const ERASE_BELOW = "\u001b[0J";

export class Screen {
  readonly #out: WriteStream;
  readonly #ladder: LiveLadder;
  readonly #board: StatusBoard;
  readonly #help: string;
  readonly #clock: () => number;
  readonly #timer: NodeJS.Timeout;
  #statusLines = 0;
  #shown = "";
  #rows = 0;

  constructor(
    out: WriteStream,
    named: readonly TraceRecord[],
    board: StatusBoard,
    help: string,
    clock: () => number,
  ) {
    this.#out = out;
    this.#board = board;
    this.#help = help;
    this.#clock = clock;
    const paint = out.isTTY ? "terminal" : "plain";
    this.#ladder = new LiveLadder(named, { paint, width: this.#width });
    this.#write(this.#ladder.heading());
    this.#timer = setInterval(() => this.refresh(), REFRESH_MS);
  }

  add(record: TraceRecord): void {
    this.#ladder.add(record);
  }

  /** Words of the lab itself, between the rows. */
  say(...lines: readonly string[]): void {
    this.#write(lines);
  }

  refresh(): void {
    const lines = this.#ladder.drawUntil(this.#clock());
    this.#rows += lines.length;
    if (this.#rows > HEADING_EVERY) {
      this.#rows = 0;
      lines.push(...this.#ladder.heading());
    }
    this.#write(lines);
  }

  close(): void {
    clearInterval(this.#timer);
    this.refresh();
    this.#eraseStatus();
  }

  get #width(): number {
    return this.#out.isTTY ? this.#out.columns : PLAIN_WIDTH;
  }

  /** Draws only what is new: a still lab leaves the terminal alone. */
  #write(lines: readonly string[]): void {
    const status = this.#out.isTTY
      ? [...this.#board.lines("terminal", this.#width), this.#help.slice(0, this.#width)]
      : [];
    const shown = status.join("\n");
    if (lines.length === 0 && shown === this.#shown) return;
    this.#eraseStatus();
    for (const line of [...lines, ...status]) this.#out.write(`${line}\n`);
    this.#statusLines = status.length;
    this.#shown = shown;
  }

  #eraseStatus(): void {
    if (this.#statusLines === 0) return;
    this.#out.write(`\u001b[${this.#statusLines}A${ERASE_BELOW}`);
    this.#statusLines = 0;
  }
}
