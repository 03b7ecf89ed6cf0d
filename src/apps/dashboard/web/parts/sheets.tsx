/** Sheets above the page: the keys, and the question for the token. Esc closes them. */
import type { ComponentChildren, VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { KEYS } from "../keys.ts";
import { LabSource } from "../sources/lab.ts";
import type { Store } from "../store.ts";

interface SheetProps {
  readonly store: Store;
  readonly title: string;
  readonly children: ComponentChildren;
}

/** The browser's own dialog: it keeps the focus inside and closes on Esc. */
export function SheetFrame({ store, title, children }: SheetProps): VNode {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog
      ref={dialog}
      class="sheet"
      aria-label={title}
      onClose={() => store.set({ sheet: undefined })}
      onClick={(event) => {
        if (event.target === dialog.current) store.set({ sheet: undefined });
      }}
      onKeyDown={() => undefined}
    >
      <header>
        <h2>{title}</h2>
        <button type="button" aria-label="Close" onClick={() => store.set({ sheet: undefined })}>
          ✕
        </button>
      </header>
      {children}
    </dialog>
  );
}

export function HelpSheet({ store }: { readonly store: Store }): VNode {
  return (
    <SheetFrame store={store} title="Keys">
      <table class="keys">
        {KEYS.map(([keys, does]) => (
          <tr key={keys}>
            <th scope="row">{keys}</th>
            <td>{does}</td>
          </tr>
        ))}
      </table>
      <p class="legend">
        Three heads: a retransmission. ✕ half-way: it never arrived. A yellow lifeline: a phone
        suspects the server; orange: it lives and does not serve; dashed red: frozen or down. ●
        registered, ▼ fell back, ▲ came home, dashed bracket: a request left one server for another.
      </p>
    </SheetFrame>
  );
}

export function TokenSheet({ store }: { readonly store: Store }): VNode {
  const input = useRef<HTMLInputElement>(null);
  return (
    <SheetFrame store={store} title="The token, please">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (store.source instanceof LabSource)
            store.source.setToken(input.current?.value.trim() ?? "");
          store.retry();
        }}
      >
        <p>
          Looking is free; to change something, paste what stands behind the # of the address that
          the lab printed.
        </p>
        <input ref={input} type="password" aria-label="Token" autocomplete="off" />
        <button type="submit" class="strong">
          Go on
        </button>
      </form>
    </SheetFrame>
  );
}
