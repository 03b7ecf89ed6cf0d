/** What can be taken away, and how much of it. */
import type { VNode } from "preact";
import { type ExportKind, exported, MOST_ROWS, pictured, save } from "../export.ts";
import type { Store } from "../store.ts";
import { SheetFrame } from "./sheets.tsx";

const KINDS: readonly (readonly [kind: ExportKind, label: string, what: string])[] = [
  ["svg", "SVG", "the ladder as a drawing that stays sharp"],
  ["png", "PNG", "the ladder as a picture"],
  ["pcap", "pcap", "the messages, for Wireshark, tshark and sngrep"],
  ["jsonl", "JSON", "every record, a line each; this page opens it again"],
];

export function ExportSheet({ store }: { readonly store: Store }): VNode {
  const { current: trace } = store;
  const take = async (kind: ExportKind): Promise<void> => {
    if (trace === undefined) return;
    const name = trace.header.title
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "-")
      .slice(0, 40);
    save(await exported(store, trace, kind), `${name}.${kind}`);
    store.set({ sheet: undefined });
  };
  return (
    <SheetFrame store={store} title="Export">
      <table class="exports">
        <tbody>
          {KINDS.map(([kind, label, what]) => (
            <tr key={kind}>
              <td>
                <button
                  type="button"
                  class="strong"
                  onClick={() => void take(kind)}
                  disabled={trace === undefined}
                >
                  {label}
                </button>
              </td>
              <td>
                {what}
                <small> {amount(store, kind)}</small>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </SheetFrame>
  );
}

function amount(store: Store, kind: ExportKind): string {
  if (kind === "pcap" || kind === "jsonl") return "";
  const { rows } = store;
  if (rows.length <= MOST_ROWS[kind]) return `${rows.length} rows`;
  return `${pictured(store, kind).length} of ${rows.length} rows, around the chosen one: filter for others`;
}
