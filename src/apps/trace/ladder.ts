/**
 * The ladder: who said what to whom, and what became of it.
 *
 *               alice           primary          fallback
 *            127.0.0.21     127.0.0.13:5060  127.0.0.15:5060
 *                │                │                │
 *     0.000      │    REGISTER    │                │       label above its arrow, seconds of the trace
 *                │───────────────>│                │
 *     5.100      │                ╳ killed         │       a crash breaks the lifeline
 *    +5.100      │                                 │       time since the row above
 *     6.000      │    REGISTER                     │
 *    +0.900      │───────✕                         │       lost half-way
 *     6.500      │    REGISTER                     │
 *    +0.500      │───────✕✕✕                       │       tripled head: a retransmission
 *    13.500      │ REGISTER fails over: timeout    │
 *    +7.000      │                ╰╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌>│       from the old target to the new one
 */
import { CanvasRow, type Paint } from "./canvas.ts";
import { type LadderRow, type Life, ladderRows } from "./ladder-rows.ts";
import { Places, type TraceRecord } from "./record.ts";

export interface LadderOptions {
  readonly paint: Paint;
  /** Characters across; 0: as many as the lifelines like to have. */
  readonly width: number;
}

const GUTTER = 12;
const NARROWEST = 14;
const WIDEST = 24;

/** Draws a whole trace; lines without line ends. */
export function drawLadder(records: readonly TraceRecord[], options: LadderOptions): string[] {
  const places = new Places(records);
  const rows = ladderRows(records, places);
  const ladder = new Ladder(lifelinesOf(rows, places), places, options);
  return [...ladder.heading(), ...rows.flatMap((row) => ladder.draw(row))];
}

/** Named places first, then strangers in order of appearance. */
function lifelinesOf(rows: readonly LadderRow[], places: Places): string[] {
  const lifelines = places.names.filter((name) => rows.some((row) => touches(row, name)));
  for (const row of rows) {
    if (row.kind !== "message") continue;
    for (const name of [row.from, row.to]) if (!lifelines.includes(name)) lifelines.push(name);
  }
  return lifelines;
}

function touches(row: LadderRow, name: string): boolean {
  return row.kind === "message" ? row.from === name || row.to === name : row.on === name;
}

/** Draws row after row and remembers how each lifeline stands. */
export class Ladder {
  readonly #lifelines: readonly string[];
  readonly #places: Places;
  readonly #paint: Paint;
  readonly #gap: number;
  readonly #lives: Life[];
  #lastAt: number | undefined;

  constructor(lifelines: readonly string[], places: Places, options: LadderOptions) {
    this.#lifelines = lifelines;
    this.#places = places;
    this.#paint = options.paint;
    const room = options.width === 0 ? WIDEST : (options.width - GUTTER) / (lifelines.length || 1);
    this.#gap = Math.max(NARROWEST, Math.min(WIDEST, Math.floor(room)));
    this.#lives = lifelines.map(() => "up");
  }

  /** Names, addresses, and the tops of the lifelines. */
  heading(): string[] {
    const names = this.#row();
    const addresses = this.#row();
    this.#lifelines.forEach((name, index) => {
      const left = this.#column(index) - Math.floor(this.#gap / 2);
      names.centre(left, left + this.#gap, name, "bold");
      const address = this.#places.addressOf(name);
      if (address !== name) addresses.centre(left, left + this.#gap, address, "faint");
    });
    return [names, addresses, this.#withLives()].map((row) => row.paint(this.#paint));
  }

  draw(row: LadderRow): string[] {
    const [upper, lower] = [this.#withLives(), this.#withLives()];
    if (row.kind === "note") this.#drawNote(upper, row);
    else if (row.kind === "failover") this.#drawFailover(upper, lower, row);
    else this.#drawMessage(upper, lower, row);
    upper.put(0, (row.at / 1000).toFixed(3).padStart(GUTTER - 2), "faint");
    const delta = row.at - (this.#lastAt ?? row.at);
    const wide = row.kind !== "note" || delta > 0;
    if (this.#lastAt !== undefined && wide) {
      lower.put(0, `+${(delta / 1000).toFixed(3)}`.padStart(GUTTER - 2), "faint");
    }
    this.#lastAt = row.at;
    return (row.kind === "note" ? [upper] : [upper, lower]).map((line) => line.paint(this.#paint));
  }

  #drawMessage(
    upper: CanvasRow,
    lower: CanvasRow,
    row: LadderRow & { readonly kind: "message" },
  ): void {
    const from = this.#lifelines.indexOf(row.from);
    const to = this.#lifelines.indexOf(row.to);
    if (from < 0 || to < 0) return;
    const [start, end] = [this.#column(from), this.#column(to)];
    const [left, right] = [Math.min(start, end), Math.max(start, end)];
    if (left === right) {
      upper.put(left + 1, `╮ ${row.label}`, row.tone);
      lower.put(left + 1, "╯", row.tone);
      return;
    }
    upper.centre(left, right, row.label, row.tone);
    lower.put(left + 1, "─".repeat(right - left - 1), row.tone);
    const heads = row.again ? 3 : 1;
    if (row.lost || row.late) this.#drawStop(lower, start, end, row);
    else if (end > start) lower.put(right - heads, ">".repeat(heads), row.tone);
    else lower.put(left + 1, "<".repeat(heads), row.tone);
  }

  /** Clears the far half of the arrow: ✕ never arrived, ⋯ not yet. */
  #drawStop(
    lower: CanvasRow,
    start: number,
    end: number,
    row: LadderRow & { readonly kind: "message" },
  ): void {
    const heads = row.again ? 3 : 1;
    const middle = Math.floor((start + end) / 2);
    const rightwards = end > start;
    const [left, right] = rightwards ? [middle, end] : [end, middle];
    lower.put(left + 1, " ".repeat(Math.max(0, right - left - 1)), "plain");
    for (let index = 0; index < this.#lifelines.length; index += 1) {
      const column = this.#column(index);
      if (column > left && column < right) this.#putLife(lower, index);
    }
    const head = (row.lost ? "✕" : "⋯").repeat(heads);
    const shaft = "─".repeat(Math.abs(start - middle) - 1);
    lower.put(rightwards ? start + 1 : middle + 1, shaft, row.tone);
    lower.put(rightwards ? middle : middle - heads + 1, head, row.lost ? "bad" : "warn");
  }

  #drawNote(upper: CanvasRow, row: LadderRow & { readonly kind: "note" }): void {
    const index = this.#lifelines.indexOf(row.on);
    if (index < 0) {
      upper.put(GUTTER, `${row.mark} ${row.on}: ${row.text}`, row.tone);
      return;
    }
    const column = this.#column(index);
    const before = column + row.text.length + 3 > this.#width && column > row.text.length + GUTTER;
    upper.put(column, row.mark, row.tone);
    upper.put(before ? column - row.text.length - 1 : column + 2, row.text, row.tone);
    if (row.life !== undefined && !(this.#lives[index] === "down" && row.life === "suspect")) {
      this.#lives[index] = row.life;
    }
  }

  #drawFailover(
    upper: CanvasRow,
    lower: CanvasRow,
    row: LadderRow & { readonly kind: "failover" },
  ): void {
    const on = this.#lifelines.indexOf(row.on);
    if (on >= 0) upper.put(this.#column(on) + 2, row.text, "warn");
    else upper.put(GUTTER, `${row.on}: ${row.text}`, "warn");
    const from = this.#lifelines.indexOf(row.from);
    const to = this.#lifelines.indexOf(row.to);
    if (from < 0 || to < 0 || from === to) return;
    const [start, end] = [this.#column(from), this.#column(to)];
    const [left, right] = [Math.min(start, end), Math.max(start, end)];
    lower.put(left, "╌".repeat(right - left + 1), "warn");
    lower.put(start, end > start ? "╰" : "╯", "warn");
    lower.put(end > start ? end - 1 : end + 1, end > start ? ">" : "<", "warn");
    this.#putLife(lower, to);
  }

  get #width(): number {
    return GUTTER + this.#gap * this.#lifelines.length;
  }

  #row(): CanvasRow {
    return new CanvasRow(this.#width);
  }

  #column(index: number): number {
    return GUTTER + Math.floor(this.#gap / 2) + index * this.#gap;
  }

  #withLives(): CanvasRow {
    const row = this.#row();
    for (let index = 0; index < this.#lifelines.length; index += 1) this.#putLife(row, index);
    return row;
  }

  /** Health is the look of the lifeline itself: whole, doubtful, dotted while frozen, gone while down. */
  #putLife(row: CanvasRow, index: number): void {
    const column = this.#column(index);
    switch (this.#lives[index]) {
      case "up":
        row.put(column, "│", "plain");
        break;
      case "suspect":
        row.put(column, "│", "warn");
        break;
      case "frozen":
        row.put(column, "┊", "bad");
        break;
      default:
        row.put(column, " ", "plain");
    }
  }
}
