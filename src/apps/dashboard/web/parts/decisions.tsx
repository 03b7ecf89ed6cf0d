/** Every decision in words, with its reason and the configuration line that caused it; the newest below. */
import type { VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { seconds } from "../ladder/painter.ts";
import { groundOf, reasonOf, sentenceOf } from "../model/meaning.ts";
import type { Row, Trace } from "../model/trace.ts";
import type { Store } from "../store.ts";
import { useStore } from "./use-store.ts";

/** The last so many are listed: more is what the filter is for. */
const MOST_LISTED = 400;

export function Decisions({ store }: { readonly store: Store }): VNode {
  useStore(store);
  const list = useRef<HTMLOListElement>(null);
  const { current, rows, following } = store;
  const decisions: Row[] = [];
  for (let index = rows.length - 1; index >= 0 && decisions.length < MOST_LISTED; index -= 1) {
    const row = rows[index] as Row;
    if (store.decides(row)) decisions.unshift(row);
  }
  useEffect(() => {
    if (following && list.current !== null) list.current.scrollTop = list.current.scrollHeight;
  }, [decisions.length, following]);
  if (current === undefined || decisions.length === 0)
    return <p class="empty">Nothing was decided yet.</p>;
  return (
    <ol class="decisions" ref={list} aria-label="Decisions">
      {decisions.map((row) => (
        <li
          key={`${row.at} ${row.record.node} ${row.record.event}`}
          class={row === store.chosen ? "chosen" : ""}
        >
          <button type="button" class="plain" onClick={() => store.choose(row)}>
            <time>{seconds(row.at)}</time>
            <Words row={row} trace={current} />
          </button>
        </li>
      ))}
    </ol>
  );
}

function Words({ row, trace }: { readonly row: Row; readonly trace: Trace }): VNode {
  const reason = reasonOf(row.record);
  const ground = groundOf(row.record, trace.header.phones);
  return (
    <span class="words">
      <strong>{sentenceOf(row.record, trace)}</strong>
      {reason !== "" && <span class="reason">{reason}</span>}
      {ground !== undefined && (
        <span class="ground">
          <code>{ground.value}</code>{" "}
          {ground.file === undefined ? "by default" : `${ground.file}:${ground.line}`}
        </span>
      )}
    </span>
  );
}
