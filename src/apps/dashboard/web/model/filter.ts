/**
 * What the filter line means: words that must all occur, in any order, in what a row shows: names, label, event,
 * Call-ID. `-word`: must not occur; `text:word`: in the message itself.
 */
import { textOfBase64 } from "../../../../api/base64.ts";
import type { Row, Trace } from "./trace.ts";

interface Term {
  readonly word: string;
  readonly not: boolean;
  readonly inText: boolean;
}

export class Filter {
  readonly #terms: readonly Term[];

  constructor(text: string) {
    this.#terms = text
      .toLowerCase()
      .split(/\s+/)
      .map((word) => {
        const not = word.startsWith("-");
        const bare = not ? word.slice(1) : word;
        const inText = bare.startsWith("text:");
        return { word: inText ? bare.slice("text:".length) : bare, not, inText };
      })
      .filter(({ word }) => word !== "");
  }

  takes(row: Row, trace: Trace): boolean {
    if (this.#terms.length === 0) return true;
    const shown = shownText(row, trace);
    return this.#terms.every(({ word, not, inText }) => {
      const where = inText ? messageText(row).toLowerCase() : shown;
      return where.includes(word) !== not;
    });
  }
}

export function messageText(row: Row): string {
  return row.delivery === undefined ? "" : textOfBase64(row.delivery.data);
}

/** A row in one line of words, in lower case. */
function shownText(row: Row, trace: Trace): string {
  const { delivery, record, note } = row;
  if (delivery === undefined) {
    const words = note?.kind === "message" ? "" : (note?.text ?? "");
    return `${record.node} ${record.event} ${words}`.toLowerCase();
  }
  const { seen, from, to, transport, again } = delivery;
  const state = `${again ? "retransmission " : ""}${trace.isLost(delivery) ? "lost" : ""}`;
  return `${from} ${to} ${seen.label} ${seen.method} ${seen.callId} ${transport} ${state}`.toLowerCase();
}
