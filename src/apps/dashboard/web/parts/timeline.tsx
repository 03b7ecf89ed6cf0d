/** Each phone's state over time, and each server's; a click goes to that instant in the ladder. */
import type { VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { CanvasSurface } from "../ladder/surface.ts";
import {
  instantAt,
  paintTimeline,
  type TimelineView,
  timelineHeight,
} from "../ladder/timeline-painter.ts";
import { firstSince } from "../model/rows.ts";
import type { Store } from "../store.ts";
import { palette } from "../theme.ts";
import { sizedContext } from "./sized-context.ts";
import { useStore } from "./use-store.ts";

export function Timeline({ store }: { readonly store: Store }): VNode {
  useStore(store);
  const canvas = useRef<HTMLCanvasElement>(null);
  const { current } = store;
  const view = (): TimelineView | undefined => {
    if (current === undefined || canvas.current?.parentElement == null) return undefined;
    const { clientWidth: width } = canvas.current.parentElement;
    const to = Math.max(current.now, current.rows.at(-1)?.at ?? 0, 1000);
    const from = Math.min(0, current.rows[0]?.at ?? 0);
    return { trace: current, width, from, to, chosenAt: store.chosen?.at };
  };
  useEffect(() => {
    const shown = view();
    if (shown === undefined || canvas.current === null) return;
    const height = timelineHeight(shown.trace);
    const context = sizedContext(canvas.current, shown.width, height);
    paintTimeline(new CanvasSurface(context, palette()), shown);
  });
  const words = (current?.phones.names ?? []).map((name) => {
    const spans = current?.phones.spansOf(name)?.list ?? [];
    return `${name}: ${spans
      .map(({ at, state }) => `${state.current || "nowhere"} from ${(at / 1000).toFixed(1)} s`)
      .slice(-6)
      .join(", ")}`;
  });
  return (
    <div class="timeline">
      <canvas
        ref={canvas}
        role="img"
        aria-label={`Where each phone was. ${words.join(". ")}`}
        onClick={(event) => {
          const shown = view();
          if (shown === undefined) return;
          const at = instantAt(shown, event.offsetX);
          store.set({ tab: "ladder" });
          store.choose(store.rows[firstSince(store.rows, at)]);
        }}
      />
      <p class="legend">
        A phone's bar says where it is registered; thin and red: nobody served it; a line beneath:
        in a call. A server's is dashed while it does not serve.
      </p>
    </div>
  );
}
