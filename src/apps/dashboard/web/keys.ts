/** The keyboard, as sngrep has it where it has the same thing. */
import { indexOf } from "./model/rows.ts";
import type { Store } from "./store.ts";
import { turnTheme } from "./theme.ts";

/** What the help sheet shows. */
export const KEYS: readonly (readonly [keys: string, does: string])[] = [
  ["↑ ↓, PgUp PgDn, Home End", "choose a row; End follows what is new"],
  ["← →", "move a wide ladder sideways"],
  ["Enter", "show the message, or why it was decided so"],
  ["Esc", "back: close a sheet, the details, the filter"],
  ["/, F3", "filter; words must all occur, -word must not, text:word is in the message"],
  ["x, F4", "only the dialog of the chosen row"],
  ["Space", "mark a message, to see how the next one differs"],
  ["c", "colour by status, by dialog, by CSeq"],
  ["s, F5", "hide lifelines that nothing touches"],
  ["n, N", "next or previous decision"],
  ["1 – 9", "kill a server that is up, bring back one that is not"],
  ["o", "open a trace or a capture"],
  ["e, F2", "export: SVG, PNG, pcap, JSON"],
  ["p", "play a scenario; while one plays, pause it"],
  [".", "one step of a paused scenario"],
  ["Tab, [ ]", "next control; previous and next view"],
  ["t", "dark or light"],
  ["?, F1", "this help"],
];

const PAGE_ROWS = 20;

type Deed = (store: Store) => void;

const DEEDS: Readonly<Record<string, Deed>> = {
  ArrowDown: (store) => moveBy(store, 1),
  ArrowUp: (store) => moveBy(store, -1),
  PageDown: (store) => moveBy(store, PAGE_ROWS),
  PageUp: (store) => moveBy(store, -PAGE_ROWS),
  Home: (store) => moveTo(store, 0),
  End: (store) => store.choose(store.rows.at(-1), true),
  ArrowLeft: () => sideways(-120),
  ArrowRight: () => sideways(120),
  Enter: (store) => store.openDetails(),
  Escape: (store) => store.back(),
  "/": focusFilter,
  F3: focusFilter,
  x: (store) => store.toggleCall(),
  F4: (store) => store.toggleCall(),
  " ": (store) => store.set({ marked: store.marked === store.chosen ? undefined : store.chosen }),
  c: (store) => store.turnColours(),
  s: (store) => store.set({ compressed: !store.compressed }),
  F5: (store) => store.set({ compressed: !store.compressed }),
  n: (store) => nextDecision(store, 1),
  N: (store) => nextDecision(store, -1),
  o: () => document.querySelector<HTMLInputElement>("#open-file")?.click(),
  e: (store) => store.set({ sheet: "export" }),
  F2: (store) => store.set({ sheet: "export" }),
  p: (store) => store.playOrPause(),
  ".": (store) => store.step(),
  "[": (store) => store.turnTab(-1),
  "]": (store) => store.turnTab(1),
  t: (store) => {
    turnTheme();
    store.changed();
  },
  "?": (store) => store.set({ sheet: "help" }),
  F1: (store) => store.set({ sheet: "help" }),
};

export function listenToKeys(store: Store): void {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { target } = event;
    const typing = target instanceof HTMLElement && target.matches("input, textarea, select");
    if (typing && event.key !== "Escape" && !/^F\d/.test(event.key)) return;
    if (store.sheet !== undefined && event.key !== "Escape") return;
    const pressing =
      target instanceof HTMLElement && target.matches("button, a, summary, [role=tab]");
    if (pressing && (event.key === "Enter" || event.key === " ")) return;
    const deed = DEEDS[event.key] ?? serverKey(event.key);
    if (deed === undefined) return;
    event.preventDefault();
    if (typing && event.key === "Escape") target.blur();
    else deed(store);
  });
}

function serverKey(key: string): Deed | undefined {
  if (!/^[1-9]$/.test(key)) return undefined;
  return (store) => store.turnServer(Number(key) - 1);
}

function focusFilter(): void {
  document.querySelector<HTMLInputElement>("#filter")?.focus();
}

function sideways(pixels: number): void {
  document.querySelector(".ladder-scroll")?.scrollBy({ left: pixels });
}

function moveBy(store: Store, by: number): void {
  const { rows, chosen } = store;
  const index = chosen === undefined ? -1 : indexOf(rows, chosen);
  if (index < 0) moveTo(store, by > 0 ? 0 : rows.length - 1);
  else moveTo(store, index + by);
}

function moveTo(store: Store, index: number): void {
  const { rows } = store;
  store.choose(rows[Math.max(0, Math.min(rows.length - 1, index))]);
}

function nextDecision(store: Store, way: 1 | -1): void {
  const { rows, chosen } = store;
  const start = chosen === undefined ? -1 : indexOf(rows, chosen);
  for (let index = start + way; index >= 0 && index < rows.length; index += way) {
    const row = rows[index];
    if (row !== undefined && store.decides(row)) {
      store.choose(row);
      return;
    }
  }
}
