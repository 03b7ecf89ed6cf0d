/** A phone's provisioning files: to read in the lab, to edit in the playground, with what `explain` finds in them. */
import type { VNode } from "preact";
import type { ShownPhone } from "../../protocol.ts";
import type { Playground } from "../playground.ts";
import type { Finding } from "../sources/worker-protocol.ts";
import type { Store } from "../store.ts";
import { useStore } from "./use-store.ts";

interface Props {
  readonly store: Store;
  readonly playground: Playground;
}

export function Files({ store, playground }: Props): VNode {
  useStore(store);
  const phone = playground.shownPhone;
  const phones = store.current?.header.phones ?? [];
  if (phone === undefined) return <p class="empty">There is no phone.</p>;
  const files = playground.filesOf(phone);
  const edited = playground.files[phone.name] !== undefined;
  return (
    <div class="files">
      <div class="files-head">
        <label>
          Phone{" "}
          <select
            value={phone.name}
            onChange={(event) => {
              playground.phone = event.currentTarget.value;
              store.changed();
            }}
          >
            {phones.map(({ name }) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <button type="button" class="strong" onClick={() => playground.again()}>
          Try this
        </button>
        {edited && (
          <button
            type="button"
            onClick={() => {
              const { [phone.name]: _, ...others } = playground.files;
              playground.files = others;
              playground.again();
            }}
          >
            As it was
          </button>
        )}
      </div>
      {files.map(({ name, text }, index) => (
        <Editor
          key={`${phone.name} ${name}`}
          name={name}
          text={text}
          findings={playground.findings.filter(({ file }) => file === name)}
          change={(changed) => playground.edit(phone, replaced(files, index, changed))}
        />
      ))}
    </div>
  );
}

function replaced(files: ShownPhone["files"], index: number, text: string): ShownPhone["files"] {
  return files.map((file, at) => (at === index ? { ...file, text } : file));
}

interface EditorProps {
  readonly name: string;
  readonly text: string;
  readonly findings: readonly Finding[];
  readonly change: (text: string) => void;
}

function Editor({ name, text, findings, change }: EditorProps): VNode {
  const lines = text.split("\n").length;
  const marked = new Map(findings.map(({ line, severity }) => [line, severity]));
  return (
    <div class="editor">
      <div class="sheet-of-lines">
        <pre class="numbers" aria-hidden="true">
          {Array.from({ length: lines }, (_, index) => (
            <span key={index} class={marked.get(index + 1) ?? ""}>
              {index + 1}
              {"\n"}
            </span>
          ))}
        </pre>
        <textarea
          aria-label={name}
          spellcheck={false}
          wrap="off"
          rows={lines + 1}
          value={text}
          onInput={(event) => change(event.currentTarget.value)}
        />
      </div>
      <ul class="findings" aria-label={`Findings in ${name}`}>
        {findings.map(({ line, severity, key, wrong, remedy }) => (
          <li key={`${line} ${key} ${wrong}`} class={severity}>
            <b>
              {name}:{line}
            </b>{" "}
            <code>{key}</code> {wrong}; {remedy}
          </li>
        ))}
      </ul>
    </div>
  );
}
