/** The ladder: a canvas as large as what is seen of it, under a scroll bar for all of it. */
import type { VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import {
  GUTTER,
  gapFor,
  HEADING_HEIGHT,
  type LadderView,
  paintHeading,
  paintRows,
  ROW_HEIGHT,
} from "../ladder/painter.ts";
import { CanvasSurface } from "../ladder/surface.ts";
import { describeRow } from "../model/describe.ts";
import { lifelinesOf } from "../model/lifelines.ts";
import { indexOf } from "../model/rows.ts";
import type { Row, Trace } from "../model/trace.ts";
import type { Store } from "../store.ts";
import { palette } from "../theme.ts";
import { sizedContext } from "./sized-context.ts";
import { useStore } from "./use-store.ts";

/** Browsers end an element's height near here; beyond it the scroll bar stands for several rows a pixel. */
const TALLEST = 8_000_000;

export function LadderPart({ store }: { readonly store: Store }): VNode {
  useStore(store);
  const frame = useRef<HTMLDivElement>(null);
  const scroller = useRef<LadderScroller | undefined>(undefined);
  useEffect(() => {
    if (frame.current === null) return undefined;
    const made = new LadderScroller(frame.current, store);
    scroller.current = made;
    return () => made.close();
  }, [store]);
  useEffect(() => scroller.current?.draw());
  const { chosen, current, rows } = store;
  const words = chosen === undefined || current === undefined ? "" : describeRow(chosen, current);
  return (
    <div class="ladder" ref={frame}>
      <div
        class="ladder-scroll"
        role="listbox"
        tabIndex={0}
        aria-label={`Ladder, ${rows.length} rows`}
        aria-activedescendant="ladder-row"
      >
        <div class="ladder-extent">
          <canvas class="ladder-canvas" />
        </div>
        <div
          id="ladder-row"
          class="unseen"
          role="option"
          tabIndex={-1}
          aria-selected="true"
          aria-live="polite"
        >
          {words}
        </div>
      </div>
      {rows.length === 0 && (
        <p class="empty">
          {store.filterText === "" ? "Nothing has happened yet." : "No row fits the filter."}
        </p>
      )}
    </div>
  );
}

class LadderScroller {
  readonly #store: Store;
  readonly #scroll: HTMLElement;
  readonly #extent: HTMLElement;
  readonly #canvas: HTMLCanvasElement;
  readonly #observer: ResizeObserver;
  #lastChosen: Row | undefined;
  #lastTrace: Trace | undefined;
  #ownScroll = -1;
  #asked = false;

  constructor(frame: HTMLElement, store: Store) {
    this.#store = store;
    this.#scroll = frame.querySelector(".ladder-scroll") as HTMLElement;
    this.#extent = frame.querySelector(".ladder-extent") as HTMLElement;
    this.#canvas = frame.querySelector("canvas") as HTMLCanvasElement;
    this.#scroll.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.#canvas.addEventListener("click", (event) => this.#clicked(event));
    this.#observer = new ResizeObserver(() => this.draw());
    this.#observer.observe(this.#scroll);
  }

  close(): void {
    this.#observer.disconnect();
  }

  draw(): void {
    if (this.#asked) return;
    this.#asked = true;
    requestAnimationFrame(() => {
      this.#asked = false;
      this.#paint();
    });
  }

  get #rowsSeen(): number {
    return Math.max(1, (this.#scroll.clientHeight - HEADING_HEIGHT) / ROW_HEIGHT);
  }

  /** Rows by pixel of the scroll bar: 1 / ROW_HEIGHT until the ladder is too tall. */
  #scale(count: number): number {
    const height = count * ROW_HEIGHT;
    return height <= TALLEST ? 1 : height / TALLEST;
  }

  #scrolled(): void {
    if (this.#scroll.scrollTop !== this.#ownScroll) {
      const { scrollHeight, scrollTop, clientHeight } = this.#scroll;
      this.#store.following = scrollTop + clientHeight >= scrollHeight - ROW_HEIGHT;
    }
    this.draw();
  }

  #clicked(event: MouseEvent): void {
    const box = this.#canvas.getBoundingClientRect();
    const y = event.clientY - box.top - HEADING_HEIGHT;
    if (y < 0) return;
    const row = this.#store.rows[Math.floor(this.#firstRow() + y / ROW_HEIGHT)];
    if (row === undefined) return;
    this.#store.set({ chosen: row, following: false, tab: this.#store.tab });
  }

  /** Where the top of the picture is, in rows, with a fraction. */
  #firstRow(): number {
    return (this.#scroll.scrollTop * this.#scale(this.#store.rows.length)) / ROW_HEIGHT;
  }

  #paint(): void {
    const { current, rows, compressed, chosen } = this.#store;
    const { clientWidth, clientHeight } = this.#scroll;
    if (current === undefined || clientWidth === 0) return;
    const lifelines = lifelinesOf(current, rows, compressed);
    const gap = gapFor(clientWidth, lifelines.length);
    const width = Math.max(clientWidth, GUTTER + gap * lifelines.length);
    const scale = this.#scale(rows.length);
    this.#extent.style.height = `${HEADING_HEIGHT + (rows.length * ROW_HEIGHT) / scale + ROW_HEIGHT}px`;
    this.#extent.style.width = `${width}px`;
    this.#follow(current, rows, chosen, scale);
    const context = sizedContext(this.#canvas, clientWidth, clientHeight);
    const { colourBy, marked } = this.#store;
    const left = this.#scroll.scrollLeft;
    const view: LadderView = {
      trace: current,
      rows,
      lifelines,
      gap,
      colourBy,
      chosen,
      marked,
      left,
      width: clientWidth,
    };
    const surface = new CanvasSurface(context, palette());
    surface.box(0, 0, clientWidth, clientHeight, "paper");
    const top = this.#firstRow();
    const first = Math.max(0, Math.floor(top));
    const last = Math.min(rows.length, Math.ceil(top + this.#rowsSeen) + 1);
    paintRows(surface, view, first, last, HEADING_HEIGHT - (top - first) * ROW_HEIGHT);
    paintHeading(surface, view, 0);
  }

  /** To the end while following; to the chosen row when another has been chosen. */
  #follow(trace: Trace, rows: readonly Row[], chosen: Row | undefined, scale: number): void {
    const seen = this.#rowsSeen;
    let first: number | undefined;
    if (this.#store.following) first = rows.length - seen + 1;
    else if (chosen !== undefined && chosen !== this.#lastChosen) {
      const index = indexOf(rows, chosen);
      const top = this.#firstRow();
      if (index >= 0 && index < top) first = index;
      else if (index > top + seen - 1.5) first = index - seen + 1.5;
    }
    if (trace !== this.#lastTrace && !this.#store.following && chosen === undefined) first = 0;
    this.#lastChosen = chosen;
    this.#lastTrace = trace;
    if (first === undefined) return;
    this.#scroll.scrollTop = Math.max(0, (first * ROW_HEIGHT) / scale);
    this.#ownScroll = this.#scroll.scrollTop;
  }
}
