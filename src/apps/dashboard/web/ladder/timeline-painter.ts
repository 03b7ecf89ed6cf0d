/**
 * Everybody's state over time, one lane each: servers by health, phones by where they are registered.
 *
 *   primary    ████████████╳╌╌╌╌╌╌╌╌╌╌╌╌╌████████████
 *   alice      primary      ▁▁ secondary     primary     thin red: nobody served it; a line on top: in a call
 *              0 s          10 s             20 s
 */
import type { Health, PhoneStanding } from "../model/lives.ts";
import type { Trace } from "../model/trace.ts";
import { fitted, type Ink, type Surface } from "./surface.ts";

export const LANE = 24;
export const AXIS = 26;
const NAMES = 92;
const BAR = 14;
const MARGIN = 12;

export interface TimelineView {
  readonly trace: Trace;
  readonly width: number;
  /** What the lanes span, milliseconds. */
  readonly from: number;
  readonly to: number;
  /** The instant of the chosen row. */
  readonly chosenAt: number | undefined;
}

export function timelineHeight(trace: Trace): number {
  return AXIS + (trace.header.servers.length + trace.phones.names.length) * LANE + MARGIN;
}

/** The instant at a place of the picture. */
export function instantAt(view: TimelineView, x: number): number {
  const share = (x - NAMES) / (view.width - NAMES - MARGIN);
  return view.from + Math.max(0, Math.min(1, share)) * (view.to - view.from);
}

export function paintTimeline(surface: Surface, view: TimelineView): void {
  const { trace, width } = view;
  surface.box(0, 0, width, timelineHeight(trace), "paper");
  paintAxis(surface, view);
  let y = AXIS;
  for (const { name } of trace.header.servers) {
    paintServer(surface, view, name, y);
    y += LANE;
  }
  for (const name of trace.phones.names) {
    paintPhone(surface, view, name, y);
    y += LANE;
  }
  if (view.chosenAt !== undefined) {
    const x = xOf(view, view.chosenAt);
    surface.line(x, AXIS - 6, x, y, "request", 1);
  }
}

function xOf(view: TimelineView, at: number): number {
  const share = (at - view.from) / Math.max(1, view.to - view.from);
  return NAMES + Math.max(0, Math.min(1, share)) * (view.width - NAMES - MARGIN);
}

const STEPS: readonly number[] = [
  0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600,
];
const MARK_WIDTH = 90;

function paintAxis(surface: Surface, view: TimelineView): void {
  const marks = (view.width - NAMES) / MARK_WIDTH;
  const wanted = (view.to - view.from) / 1000 / marks;
  const step = (STEPS.find((one) => one >= wanted) ?? 86_400) * 1000;
  for (let at = Math.ceil(view.from / step) * step; at <= view.to; at += step) {
    const x = xOf(view, at);
    surface.line(x, AXIS - 6, x, timelineHeight(view.trace) - MARGIN, "rule", 0.5);
    surface.text(x, AXIS - 11, `${at / 1000} s`, { ink: "faint", align: "middle", size: 10 });
  }
}

const HEALTH_INK: Readonly<Record<Health, Ink>> = {
  up: "good",
  suspect: "warn",
  sick: "refused",
  frozen: "bad",
  down: "bad",
};

function paintServer(surface: Surface, view: TimelineView, name: string, y: number): void {
  surface.text(NAMES - 8, y + 11, fitted(name, NAMES - 12), {
    ink: "text",
    align: "end",
    bold: true,
  });
  const spans = view.trace.servers.spansOf(name).list;
  spans.forEach(({ at, state }, index) => {
    const [x1, x2] = [xOf(view, at), xOf(view, spans[index + 1]?.at ?? view.to)];
    const up = state === "up" || state === "suspect";
    if (up) surface.box(x1, y + 4, Math.max(1, x2 - x1), BAR - 6, HEALTH_INK[state]);
    else surface.line(x1, y + 8, x2, y + 8, HEALTH_INK[state], 2, true);
  });
}

function paintPhone(surface: Surface, view: TimelineView, name: string, y: number): void {
  surface.text(NAMES - 8, y + 12, fitted(name, NAMES - 12), { ink: "text", align: "end" });
  const spans = view.trace.phones.spansOf(name)?.list ?? [];
  spans.forEach(({ at, state }, index) => {
    const next = spans[index + 1]?.at ?? view.to;
    paintStanding(surface, view, state, [xOf(view, at), xOf(view, next)], y);
  });
  for (const { phone, since, until } of view.trace.outages.outages) {
    if (phone !== name) continue;
    const [x1, x2] = [xOf(view, since), xOf(view, until ?? view.to)];
    surface.box(x1, y, Math.max(2, x2 - x1), BAR + 2, "paper");
    surface.box(x1, y + BAR / 2 - 1, Math.max(2, x2 - x1), 3, "bad");
  }
}

const HUES = 8;

function paintStanding(
  surface: Surface,
  { trace }: TimelineView,
  { current, call }: PhoneStanding,
  [x1, x2]: readonly [number, number],
  y: number,
): void {
  const width = Math.max(1, x2 - x1);
  const index = trace.header.servers.findIndex(({ name }) => name === current);
  if (current !== "") {
    surface.box(x1, y + 1, width, BAR, index < 0 ? "faint" : `hue${index % HUES}`);
    const label = fitted(current, width - 8, 10);
    if (label.length > 3) surface.text(x1 + 4, y + 12, label, { ink: "paper", size: 10 });
  }
  if (call !== "") surface.box(x1, y + BAR + 2, width, 2, "text");
}
