/**
 * Paints rows of a ladder. Every row is as high as every other, so that a hundred thousand cost no more than those
 * that are seen.
 *
 *    12.304 │        INVITE         │        label above its arrow; time, and time since the row above
 *    +0.502 │──────────────────────>│
 *           │───────────✕           │        lost half-way; three heads: a retransmission
 *           ▼ fell back             ┊        frozen: dotted; down: no line at all; suspected: yellow
 *           │ REGISTER fails over ╰╌╌╌╌╌>   from the old target to the new one
 */
import type { LadderRow } from "../../../trace/ladder-rows.ts";
import type { Health } from "../model/lives.ts";
import type { Row, Trace } from "../model/trace.ts";
import { fitted, type Ink, type Surface, TEXT_SIZE, widthOf } from "./surface.ts";

export const ROW_HEIGHT = 30;
export const HEADING_HEIGHT = 44;
export const GUTTER = 86;
const NARROWEST = 118;
const WIDEST = 300;
const LABEL_Y = 12;
const ARROW_Y = 20;
const SMALL = 10;

/** Which property of a message its colour tells. */
export type ColourBy = "status" | "call" | "cseq";

export interface LadderView {
  readonly trace: Trace;
  readonly rows: readonly Row[];
  /** Lifelines from left to right. */
  readonly lifelines: readonly string[];
  /** Pixels between two. */
  readonly gap: number;
  readonly colourBy: ColourBy;
  readonly chosen: Row | undefined;
  readonly marked: Row | undefined;
  /** Pixels that the picture is moved to the left by. */
  readonly left: number;
  /** Of the picture. */
  readonly width: number;
}

export function gapFor(width: number, lifelines: number): number {
  const room = (width - GUTTER) / Math.max(1, lifelines);
  return Math.max(NARROWEST, Math.min(WIDEST, Math.floor(room)));
}

export function columnOf(view: LadderView, name: string): number | undefined {
  const index = view.lifelines.indexOf(name);
  return index < 0 ? undefined : GUTTER + view.gap * (index + 0.5) - view.left;
}

/** Names and addresses on top. */
export function paintHeading(surface: Surface, view: LadderView, y: number): void {
  surface.box(0, y, view.width, HEADING_HEIGHT, "panel");
  for (const name of view.lifelines) {
    const x = columnOf(view, name) as number;
    if (x < -view.gap || x > view.width + view.gap) continue;
    const room = view.gap - 10;
    surface.text(x, y + 18, fitted(name, room, 13), {
      ink: "text",
      align: "middle",
      size: 13,
      bold: true,
    });
    const address = view.trace.places.addressOf(name);
    if (address !== name) {
      surface.text(x, y + 34, fitted(address, room, SMALL), {
        ink: "faint",
        align: "middle",
        size: SMALL,
      });
    }
  }
  surface.box(0, y, GUTTER, HEADING_HEIGHT, "panel");
  surface.text(GUTTER - 14, y + 18, "seconds", { ink: "faint", align: "end", size: SMALL });
  surface.text(GUTTER - 14, y + 34, "since above", { ink: "faint", align: "end", size: SMALL });
  surface.line(0, y + HEADING_HEIGHT - 0.5, view.width, y + HEADING_HEIGHT - 0.5, "rule");
}

/** The rows from one index to another (exclusive), the first at `y`. */
export function paintRows(
  surface: Surface,
  view: LadderView,
  from: number,
  to: number,
  y: number,
): void {
  for (let index = from; index < to; index += 1) {
    const row = view.rows[index] as Row;
    const top = y + (index - from) * ROW_HEIGHT;
    if (row === view.marked) surface.box(0, top, view.width, ROW_HEIGHT, "marked");
    if (row === view.chosen) surface.box(0, top, view.width, ROW_HEIGHT, "chosen");
  }
  paintLifelines(surface, view, from, to, y);
  for (let index = from; index < to; index += 1) {
    const top = y + (index - from) * ROW_HEIGHT;
    paintRow(surface, view, view.rows[index] as Row, top);
    paintGutter(surface, view, index, top);
  }
}

const LIFE_INK: Readonly<Record<Health, Ink>> = {
  up: "rule",
  suspect: "warn",
  sick: "refused",
  frozen: "bad",
  down: "bad",
};

/** A stretch of rows with one state is one line. */
function paintLifelines(
  surface: Surface,
  view: LadderView,
  from: number,
  to: number,
  y: number,
): void {
  for (const name of view.lifelines) {
    const x = columnOf(view, name) as number;
    if (x < 0 || x > view.width) continue;
    const spans = view.trace.servers.spansOf(name);
    const stateOf = (index: number): Health => spans.at((view.rows[index] as Row).at) ?? "up";
    for (let start = from; start < to; ) {
      const state = stateOf(start);
      let end = start + 1;
      while (end < to && stateOf(end) === state) end += 1;
      const [y1, y2] = [y + (start - from) * ROW_HEIGHT, y + (end - from) * ROW_HEIGHT];
      const dashed = state === "frozen" || state === "down";
      const width = state === "up" || state === "down" ? 1 : 2;
      surface.line(x, y1, x, y2, LIFE_INK[state], width, dashed);
      start = end;
    }
  }
}

function paintGutter(surface: Surface, view: LadderView, index: number, top: number): void {
  const row = view.rows[index] as Row;
  const before = view.rows[index - 1];
  surface.box(0, top, GUTTER - 8, ROW_HEIGHT, groundOf(view, row));
  const x = GUTTER - 14;
  surface.text(x, top + LABEL_Y, seconds(row.at), { ink: "text", align: "end", size: 11 });
  if (before === undefined) return;
  const delta = `+${seconds(row.at - before.at)}`;
  surface.text(x, top + LABEL_Y + 12, delta, { ink: "faint", align: "end", size: SMALL });
}

export function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}

/** What one row is painted with. */
interface Pen {
  readonly surface: Surface;
  readonly view: LadderView;
  readonly row: Row;
  readonly top: number;
  readonly ground: Ink;
}

function paintRow(surface: Surface, view: LadderView, row: Row, top: number): void {
  const pen: Pen = { surface, view, row, top, ground: groundOf(view, row) };
  const drawn = view.trace.drawn(row);
  if (drawn.kind === "message") paintMessage(pen, drawn);
  else if (drawn.kind === "note") paintNote(pen, drawn);
  else paintFailover(pen, drawn);
}

type Drawn<K extends LadderRow["kind"]> = Extract<LadderRow, { readonly kind: K }>;

const TONES: Readonly<Record<string, Ink>> = {
  plain: "text",
  bold: "text",
  faint: "faint",
  good: "good",
  warn: "warn",
  bad: "bad",
  redirect: "redirect",
  refused: "refused",
  request: "request",
};
const HUES = 8;

function inkOf(view: LadderView, row: Row, tone: string): Ink {
  const seen = row.delivery?.seen;
  if (seen === undefined || view.colourBy === "status") return TONES[tone] ?? "text";
  const key = view.colourBy === "call" ? seen.callId : `${seen.callId} ${seen.cseq}`;
  return `hue${hash(key) % HUES}`;
}

function hash(text: string): number {
  let value = 7;
  for (let index = 0; index < text.length; index += 1)
    value = (value * 31 + text.charCodeAt(index)) >>> 0;
  return value;
}

function paintMessage(pen: Pen, drawn: Drawn<"message">): void {
  const { surface, view, row, top } = pen;
  const [start, end] = [columnOf(view, drawn.from), columnOf(view, drawn.to)];
  if (start === undefined || end === undefined) return;
  const ink = inkOf(view, row, drawn.tone);
  const y = top + ARROW_Y;
  if (start === end) {
    paintWords(pen, start + 6, `⟲ ${drawn.label}`, ink);
    return;
  }
  const way = Math.sign(end - start);
  const middle = (start + end) / 2;
  const label = fitted(drawn.label, Math.max(Math.abs(end - start) - 12, 60));
  const width = widthOf(label);
  const at = seenMiddle(view, start, end);
  surface.box(at - width / 2 - 2, top + 2, width + 4, TEXT_SIZE + 1, pen.ground);
  surface.text(at, top + LABEL_Y, label, { ink, align: "middle", bold: row === view.chosen });
  const stop = drawn.lost ? middle : end;
  surface.line(start, y, stop - way * 6, y, ink, row === view.chosen ? 2 : 1.25, drawn.late);
  for (let head = 0; head < (drawn.again ? 3 : 1); head += 1) {
    const tip = stop - way * head * 7;
    if (drawn.lost) paintCross(surface, tip, y);
    else surface.shape([tip, y, tip - way * 8, y - 4, tip - way * 8, y + 4], ink);
  }
}

/** Of the part of an arrow that is in the picture: a wide ladder's labels stay where they can be read. */
function seenMiddle({ width }: LadderView, start: number, end: number): number {
  const left = Math.max(GUTTER, Math.min(start, end));
  const right = Math.min(width, Math.max(start, end));
  return left < right ? (left + right) / 2 : (start + end) / 2;
}

function paintCross(surface: Surface, x: number, y: number): void {
  surface.line(x - 3.5, y - 3.5, x + 3.5, y + 3.5, "bad", 2);
  surface.line(x - 3.5, y + 3.5, x + 3.5, y - 3.5, "bad", 2);
}

/** What a row stands on: words are backed with it, so that they can be read where lifelines cross them. */
function groundOf(view: LadderView, row: Row): Ink {
  if (row === view.chosen) return "chosen";
  return row === view.marked ? "marked" : "paper";
}

function paintNote(pen: Pen, drawn: Drawn<"note">): void {
  const { surface, top } = pen;
  const x = columnOf(pen.view, drawn.on);
  const ink = TONES[drawn.tone] ?? "text";
  if (x === undefined) {
    paintWords(pen, GUTTER + 6, `${drawn.mark} ${drawn.on}: ${drawn.text}`, ink);
    return;
  }
  const y = top + ROW_HEIGHT / 2;
  surface.box(x - 7, y - 7, 14, 14, pen.ground);
  surface.text(x, y + 4.5, drawn.mark, { ink, align: "middle", size: 13, bold: true });
  paintWords(pen, x + 11, drawn.text, ink);
}

/** To the right of a lifeline, or to its left where the picture ends. */
function paintWords({ surface, view, top, ground }: Pen, x: number, text: string, ink: Ink): void {
  const y = top + ROW_HEIGHT / 2 + 4;
  const width = widthOf(text);
  const end = Math.max(view.width, GUTTER + view.gap * view.lifelines.length - view.left);
  const before = x + width > end && x - width - 22 > GUTTER - view.left;
  const start = before ? x - 22 - width : x;
  surface.box(start - 2, y - TEXT_SIZE + 1, width + 4, TEXT_SIZE + 3, ground);
  surface.text(start, y, text, { ink });
}

function paintFailover({ surface, view, top, ground }: Pen, drawn: Drawn<"failover">): void {
  const on = columnOf(view, drawn.on) ?? GUTTER + 6;
  const [start, end] = [columnOf(view, drawn.from), columnOf(view, drawn.to)];
  if (start !== undefined && end !== undefined && start !== end) {
    const y = top + ARROW_Y + 3;
    const way = Math.sign(end - start);
    surface.line(start, y - 9, start, y, "warn", 2);
    surface.line(start, y, end - way * 6, y, "warn", 2, true);
    surface.shape([end, y, end - way * 9, y - 5, end - way * 9, y + 5], "warn");
  }
  surface.box(on + 6, top + 1, widthOf(drawn.text) + 4, TEXT_SIZE + 2, ground);
  surface.text(on + 8, top + LABEL_Y, drawn.text, { ink: "warn", bold: true });
}
