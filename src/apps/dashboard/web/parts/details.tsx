/** The chosen row in full: a message with its text, or a decision with its reason and the line that caused it. */
import type { VNode } from "preact";
import type { TraceRecord } from "../../../trace/record.ts";
import { seconds } from "../ladder/painter.ts";
import { diffLines } from "../model/diff.ts";
import { messageText } from "../model/filter.ts";
import { type Ground, groundOf, reasonOf, sentenceOf } from "../model/meaning.ts";
import type { Row, Trace } from "../model/trace.ts";
import type { Store } from "../store.ts";
import { useStore } from "./use-store.ts";

export function Details({ store }: { readonly store: Store }): VNode {
  useStore(store);
  const { chosen, marked, current } = store;
  if (chosen === undefined || current === undefined) {
    return <p class="empty">Choose a row: its message stands here, or why it was decided so.</p>;
  }
  if (chosen.delivery === undefined) return <Decision row={chosen} trace={current} />;
  return <Message row={chosen} marked={marked} trace={current} />;
}

interface MessageProps {
  readonly row: Row;
  readonly marked: Row | undefined;
  readonly trace: Trace;
}

function Message({ row, marked, trace }: MessageProps): VNode {
  const { delivery } = row;
  if (delivery === undefined) return <p class="empty" />;
  const { from, to, seen, transport, source, destination, arrivedAt, again } = delivery;
  const lost = trace.isLost(delivery);
  const took =
    arrivedAt === undefined ? "" : `arrived after ${(arrivedAt - delivery.at).toFixed(1)} ms`;
  const compared = marked !== undefined && marked !== row && marked.delivery !== undefined;
  const lines = compared
    ? diffLines(messageText(marked), messageText(row))
    : messageText(row)
        .split(/\r?\n/)
        .map((text) => ({ kind: "same" as const, text }));
  return (
    <>
      <h2>{seen.label}</h2>
      <p class="facts">
        {from} → {to} · {transport.toUpperCase()} · {seconds(delivery.at)} s
        <br />
        {source} → {destination}
        <br />
        {lost ? <b class="bad">never arrived</b> : took}
        {again && " · retransmission"}
        {compared && ` · compared with the marked one at ${seconds(marked.at)} s`}
      </p>
      <pre class="message">
        {lines.map(({ kind, text }, index) => (
          <MessageLine key={index} kind={kind} text={text} first={index === 0} />
        ))}
      </pre>
    </>
  );
}

interface LineProps {
  readonly kind: "same" | "gone" | "new";
  readonly text: string;
  readonly first: boolean;
}

function MessageLine({ kind, text, first }: LineProps): VNode {
  const header = first ? null : /^([\w-]+)(\s*:)(.*)$/.exec(text);
  const mark = { same: "", gone: "− ", new: "+ " }[kind];
  return (
    <span class={`line ${kind} ${first ? "start" : ""}`}>
      {mark}
      {header === null ? (
        text
      ) : (
        <>
          <b>{header[1]}</b>
          {header[2]}
          {header[3]}
        </>
      )}
      {"\n"}
    </span>
  );
}

function Decision({ row, trace }: { readonly row: Row; readonly trace: Trace }): VNode {
  const { record } = row;
  const reason = reasonOf(record);
  const ground = groundOf(record, trace.header.phones);
  return (
    <>
      <h2>{sentenceOf(record, trace)}</h2>
      <p class="facts">
        {record.event} · {seconds(row.at)} s
      </p>
      {reason !== "" && (
        <p class="why">
          <b>Why:</b> {reason}
        </p>
      )}
      {ground !== undefined && <GroundPart ground={ground} />}
      <Fields record={record} />
    </>
  );
}

function GroundPart({ ground }: { readonly ground: Ground }): VNode {
  const { value, file, line, excerpt } = ground;
  return (
    <>
      <p class="why">
        <b>Because of</b> <code>{value}</code>
        {file === undefined ? ", which nobody wrote: the default." : `, ${file} line ${line}:`}
      </p>
      {excerpt.length > 0 && (
        <pre class="excerpt">
          {excerpt.map(({ number, text }) => (
            <span key={number} class={number === line ? "line here" : "line"}>
              <i>{number}</i>
              {text}
              {"\n"}
            </span>
          ))}
        </pre>
      )}
    </>
  );
}

const TOLD: readonly string[] = ["at", "time", "node", "event", "data", "rule"];

function Fields({ record }: { readonly record: TraceRecord }): VNode {
  const fields = Object.entries(record).filter(([name]) => !TOLD.includes(name));
  return (
    <dl class="fields">
      {fields.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{String(value)}</dd>
        </div>
      ))}
    </dl>
  );
}
