/** Takes what is shown away: the ladder as SVG or PNG, the messages as a capture, the records as they came. */
import { pcapOf } from "../../trace/pcap.ts";
import {
  GUTTER,
  gapFor,
  HEADING_HEIGHT,
  type LadderView,
  paintHeading,
  paintRows,
  ROW_HEIGHT,
} from "./ladder/painter.ts";
import { CanvasSurface, type Palette, type Surface, SvgSurface } from "./ladder/surface.ts";
import { lifelinesOf } from "./model/lifelines.ts";
import { indexOf } from "./model/rows.ts";
import type { Row, Trace } from "./model/trace.ts";
import type { Store } from "./store.ts";
import { palette } from "./theme.ts";

export type ExportKind = "svg" | "png" | "pcap" | "jsonl";

/** Rows of one picture: a taller SVG opens nowhere, a taller canvas is empty. */
export const MOST_ROWS: Readonly<Record<"svg" | "png", number>> = { svg: 5_000, png: 400 };
/** Pixels of the screen for one of the picture. */
const SHARPNESS = 2;
const PICTURE_GAP_WIDTH = 190;
const MARGIN = 12;

/** The rows that a picture has: all of those shown, or as many as fit, the chosen one in the middle. */
export function pictured(store: Store, kind: "svg" | "png"): readonly Row[] {
  const { rows, chosen } = store;
  const most = MOST_ROWS[kind];
  if (rows.length <= most) return rows;
  const middle = chosen === undefined ? rows.length : indexOf(rows, chosen);
  const from = Math.max(0, Math.min(rows.length - most, middle - Math.floor(most / 2)));
  return rows.slice(from, from + most);
}

export async function exported(store: Store, trace: Trace, kind: ExportKind): Promise<Blob> {
  switch (kind) {
    case "svg":
      return new Blob([svgOf(store, trace)], { type: "image/svg+xml" });
    case "png":
      return await pngOf(store, trace);
    case "pcap": {
      const bytes = pcapOf(recordsOf(store, trace), trace.header.epochMs);
      return new Blob([new Uint8Array(bytes)], { type: "application/vnd.tcpdump.pcap" });
    }
    case "jsonl": {
      const lines = trace.records.map((record) => `${JSON.stringify(record)}\n`);
      return new Blob(lines, { type: "application/x-ndjson" });
    }
  }
}

export function svgOf(store: Store, trace: Trace): string {
  const rows = pictured(store, "svg");
  const surface = new SvgSurface(palette());
  const { width, height } = draw(surface, store, trace, rows);
  return surface.document(width, height, trace.header.title);
}

async function pngOf(store: Store, trace: Trace): Promise<Blob> {
  const rows = pictured(store, "png");
  const canvas = document.createElement("canvas");
  const { width, height } = sizeOf(store, trace, rows);
  canvas.width = width * SHARPNESS;
  canvas.height = height * SHARPNESS;
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  context.scale(SHARPNESS, SHARPNESS);
  const colours: Palette = palette();
  draw(new CanvasSurface(context, colours), store, trace, rows);
  return await new Promise((done, failed) => {
    canvas.toBlob((blob) => (blob === null ? failed(new Error("no picture")) : done(blob)));
  });
}

function sizeOf(
  store: Store,
  trace: Trace,
  rows: readonly Row[],
): { width: number; height: number } {
  const lifelines = lifelinesOf(trace, rows, store.compressed);
  const gap = gapFor(GUTTER + lifelines.length * PICTURE_GAP_WIDTH, lifelines.length);
  const width = GUTTER + gap * lifelines.length + MARGIN;
  return { width, height: HEADING_HEIGHT + rows.length * ROW_HEIGHT + MARGIN };
}

function draw(
  surface: Surface,
  store: Store,
  trace: Trace,
  rows: readonly Row[],
): { width: number; height: number } {
  const { width, height } = sizeOf(store, trace, rows);
  const lifelines = lifelinesOf(trace, rows, store.compressed);
  const gap = Math.floor((width - MARGIN - GUTTER) / Math.max(1, lifelines.length));
  const { colourBy, marked } = store;
  const chosen = undefined;
  const view: LadderView = {
    trace,
    rows,
    lifelines,
    gap,
    colourBy,
    chosen,
    marked,
    left: 0,
    width,
  };
  surface.box(0, 0, width, height, "paper");
  paintRows(surface, view, 0, rows.length, HEADING_HEIGHT);
  paintHeading(surface, view, 0);
  return { width, height };
}

/** Messages that are shown, with both their records. */
function recordsOf(store: Store, trace: Trace): Trace["records"] {
  if (store.rows.length === trace.rows.length) return trace.records;
  const shown = new Set(store.rows.flatMap(({ delivery }) => delivery?.data ?? []));
  return trace.records.filter((record) => shown.has(String(record.data)));
}

/** The browser's own way to save. */
export function save(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
