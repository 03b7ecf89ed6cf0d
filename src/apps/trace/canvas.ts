/** One row of characters with a tone each, painted as plain text, for a terminal, or as HTML. */

/** What a colour means; each painter chooses its own shade. */
export type Tone =
  | "plain"
  | "faint"
  | "bold"
  | "good"
  | "warn"
  | "bad"
  | "redirect"
  | "refused"
  | "request";

export type Paint = "plain" | "terminal" | "html";

/** SGR parameters (ECMA-48 §8.3.117). */
const SGR: Readonly<Record<Tone, string>> = {
  plain: "0",
  faint: "2",
  bold: "1",
  good: "32",
  warn: "33",
  bad: "31",
  redirect: "35",
  refused: "38;5;208",
  request: "36",
};

export class CanvasRow {
  readonly #characters: string[];
  readonly #tones: Tone[];

  constructor(width: number) {
    this.#characters = new Array<string>(width).fill(" ");
    this.#tones = new Array<Tone>(width).fill("plain");
  }

  /** Writes over what is there; what would stand outside the row is cut off. */
  put(column: number, text: string, tone: Tone): this {
    let at = column;
    for (const character of text) {
      if (at >= 0 && at < this.#characters.length) {
        this.#characters[at] = character;
        this.#tones[at] = tone;
      }
      at += 1;
    }
    return this;
  }

  /** Centres the text between two columns (exclusive), shortened with … where it does not fit. */
  centre(left: number, right: number, text: string, tone: Tone): this {
    const room = right - left - 1;
    if (room < 1) return this;
    const shown = [...text].length <= room ? text : `${[...text].slice(0, room - 1).join("")}…`;
    const start = left + 1 + Math.floor((room - [...shown].length) / 2);
    return this.put(start, shown, tone);
  }

  paint(how: Paint): string {
    const end = this.#characters.findLastIndex((character) => character !== " ") + 1;
    if (how === "plain") return this.#characters.slice(0, end).join("");
    let painted = "";
    for (let start = 0; start < end; ) {
      const tone = this.#tones[start] as Tone;
      let next = start + 1;
      while (next < end && this.#tones[next] === tone) next += 1;
      painted += paintRun(this.#characters.slice(start, next).join(""), tone, how);
      start = next;
    }
    return painted;
  }
}

function paintRun(text: string, tone: Tone, how: Paint): string {
  if (how === "html") {
    const safe = escapeMarkup(text);
    return tone === "plain" ? safe : `<span class="${tone}">${safe}</span>`;
  }
  return tone === "plain" ? text : `\u001b[${SGR[tone]}m${text}\u001b[0m`;
}

/** Safe as text and as an attribute of XML and HTML. */
export function escapeMarkup(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
