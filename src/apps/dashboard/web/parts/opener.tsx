/** Opens files: by a button, by dropping them on the page. */
import type { VNode } from "preact";
import { useEffect } from "preact/hooks";
import { Trace } from "../model/trace.ts";
import { openFile } from "../sources/files.ts";
import type { Store } from "../store.ts";

export function Opener({ store }: { readonly store: Store }): VNode {
  useEffect(() => {
    const over = (event: DragEvent): void => event.preventDefault();
    const drop = (event: DragEvent): void => {
      event.preventDefault();
      void openAll(store, event.dataTransfer?.files);
    };
    addEventListener("dragover", over);
    addEventListener("drop", drop);
    return () => {
      removeEventListener("dragover", over);
      removeEventListener("drop", drop);
    };
  }, [store]);
  return (
    <>
      <input
        id="open-file"
        class="unseen"
        type="file"
        multiple
        tabIndex={-1}
        aria-label="A trace or a capture"
        onChange={(event) => {
          const input = event.currentTarget;
          void openAll(store, input.files).then(() => {
            input.value = "";
          });
        }}
      />
      <button type="button" title="o" onClick={() => document.getElementById("open-file")?.click()}>
        Open
      </button>
    </>
  );
}

async function openAll(store: Store, files: FileList | null | undefined): Promise<void> {
  for (const file of files ?? []) {
    const began = performance.now();
    store.set({ notice: `reading ${file.name} …` });
    try {
      for (const { header, records } of await openFile(file)) {
        const trace = new Trace(header);
        trace.append(records, records.at(-1)?.at ?? 0);
        store.add(trace, true);
      }
      store.set({ notice: "" });
      measureWhenShown(began);
    } catch (error) {
      store.set({ notice: error instanceof Error ? error.message : String(error) });
    }
  }
}

/** The store is drawn in the next frame, the ladder in the one after: then it is seen. `scripts/page-bench.mjs` reads it. */
function measureWhenShown(start: number): void {
  requestAnimationFrame(() =>
    requestAnimationFrame(() =>
      requestAnimationFrame(() => performance.measure("dialtone-shown", { start })),
    ),
  );
}
