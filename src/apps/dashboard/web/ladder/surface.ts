/** What a ladder is drawn on: the screen's canvas, or an SVG that is saved. One painter serves both. */

/** What a colour means; the theme says which it is. */
export type Ink =
  | "text"
  | "faint"
  | "paper"
  | "panel"
  | "rule"
  | "good"
  | "warn"
  | "bad"
  | "request"
  | "redirect"
  | "refused"
  | "chosen"
  | "marked"
  | `hue${number}`;

export type Palette = (ink: Ink) => string;

export interface TextStyle {
  readonly ink: Ink;
  readonly align?: "start" | "middle" | "end";
  /** Pixels. */
  readonly size?: number;
  readonly bold?: boolean;
}

export interface Surface {
  box(x: number, y: number, width: number, height: number, ink: Ink): void;
  line(
    x1: number,
    y1: number,
    x2: number,
    y2: number,
    ink: Ink,
    width?: number,
    dash?: boolean,
  ): void;
  /** A closed, filled shape: x and y in turn. */
  shape(points: readonly number[], ink: Ink): void;
  /** `y` is the base line. */
  text(x: number, y: number, text: string, style: TextStyle): void;
}

export const FONT = "ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace";
export const TEXT_SIZE = 12;
/** Of a character, in parts of the size: near enough for every font of the list. */
const ADVANCE = 0.61;

export function widthOf(text: string, size: number = TEXT_SIZE): number {
  return text.length * size * ADVANCE;
}

/** Shortened with … to a width in pixels. */
export function fitted(text: string, width: number, size: number = TEXT_SIZE): string {
  const room = Math.floor(width / (size * ADVANCE));
  if (text.length <= room) return text;
  return room < 2 ? "" : `${text.slice(0, room - 1)}…`;
}

const DASH = [4, 3];

export class CanvasSurface implements Surface {
  readonly #context: CanvasRenderingContext2D;
  readonly #palette: Palette;

  constructor(context: CanvasRenderingContext2D, palette: Palette) {
    this.#context = context;
    this.#palette = palette;
  }

  box(x: number, y: number, width: number, height: number, ink: Ink): void {
    this.#context.fillStyle = this.#palette(ink);
    this.#context.fillRect(x, y, width, height);
  }

  line(x1: number, y1: number, x2: number, y2: number, ink: Ink, width = 1, dash = false): void {
    const context = this.#context;
    context.strokeStyle = this.#palette(ink);
    context.lineWidth = width;
    context.setLineDash(dash ? DASH : []);
    context.beginPath();
    context.moveTo(x1, y1);
    context.lineTo(x2, y2);
    context.stroke();
  }

  shape(points: readonly number[], ink: Ink): void {
    const context = this.#context;
    context.fillStyle = this.#palette(ink);
    context.beginPath();
    for (let index = 0; index < points.length; index += 2) {
      context.lineTo(points[index] as number, points[index + 1] as number);
    }
    context.closePath();
    context.fill();
  }

  text(x: number, y: number, text: string, style: TextStyle): void {
    const context = this.#context;
    context.fillStyle = this.#palette(style.ink);
    context.font = `${style.bold === true ? "600 " : ""}${style.size ?? TEXT_SIZE}px ${FONT}`;
    context.textAlign = style.align === "middle" ? "center" : (style.align ?? "start");
    context.fillText(text, x, y);
  }
}

/** Gathers elements; `document` makes them a file that stands alone. */
export class SvgSurface implements Surface {
  readonly #parts: string[] = [];
  readonly #palette: Palette;

  constructor(palette: Palette) {
    this.#palette = palette;
  }

  box(x: number, y: number, width: number, height: number, ink: Ink): void {
    const size = `width="${tidy(width)}" height="${tidy(height)}"`;
    this.#parts.push(`<rect x="${tidy(x)}" y="${tidy(y)}" ${size} fill="${this.#palette(ink)}"/>`);
  }

  line(x1: number, y1: number, x2: number, y2: number, ink: Ink, width = 1, dash = false): void {
    const ends = `x1="${tidy(x1)}" y1="${tidy(y1)}" x2="${tidy(x2)}" y2="${tidy(y2)}"`;
    const dashes = dash ? ` stroke-dasharray="${DASH.join(" ")}"` : "";
    const stroke = `stroke="${this.#palette(ink)}" stroke-width="${width}"`;
    this.#parts.push(`<line ${ends} ${stroke}${dashes}/>`);
  }

  shape(points: readonly number[], ink: Ink): void {
    const list = points.map(tidy).join(" ");
    this.#parts.push(`<polygon points="${list}" fill="${this.#palette(ink)}"/>`);
  }

  text(x: number, y: number, text: string, style: TextStyle): void {
    const anchor = style.align === undefined ? "" : ` text-anchor="${style.align}"`;
    const bold = style.bold === true ? ' font-weight="600"' : "";
    const size = style.size ?? TEXT_SIZE;
    const place = `x="${tidy(x)}" y="${tidy(y)}" font-size="${size}"`;
    const fill = `fill="${this.#palette(style.ink)}"`;
    this.#parts.push(`<text ${place} ${fill}${anchor}${bold}>${escaped(text)}</text>`);
  }

  document(width: number, height: number, title: string): string {
    const box = `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`;
    const font = FONT.replaceAll("'", "");
    return [
      `<svg xmlns="http://www.w3.org/2000/svg" ${box} font-family="${font}" xml:space="preserve">`,
      `<title>${escaped(title)}</title>`,
      ...this.#parts,
      "</svg>\n",
    ].join("\n");
  }
}

function tidy(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
