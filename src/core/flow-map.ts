/**
 * Things by the number of a flow. Each side numbers its flows one after the other, so they stand in rows: a place takes
 * nine bytes, where a Map takes thirty to sixty, and a fleet has millions of flows.
 */
import type { FlowId } from "./machine.ts";

/** Flows of one row: few enough that one that is alone in its row costs little. */
const ROW = 64;

class Row<Thing> {
  things: (Thing | undefined)[] = [];
  used = 0;
}

/** A Map of flows that hands out its things in the order of their numbers, those of each side for themselves. */
export class FlowMap<Thing extends object> {
  readonly #rows = new Map<number, Row<Thing>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(flow: FlowId): Thing | undefined {
    return this.#rows.get(rowOf(flow))?.things[placeIn(flow)];
  }

  set(flow: FlowId, thing: Thing): void {
    const number = rowOf(flow);
    let row = this.#rows.get(number);
    if (row === undefined) {
      row = new Row();
      this.#rows.set(number, row);
    }
    const place = placeIn(flow);
    if (row.things[place] === undefined) {
      row.used += 1;
      this.#size += 1;
    }
    row.things[place] = thing;
    // A copy has no room to grow: a row that is full needs none.
    if (place === ROW - 1 && row.things.length === ROW) row.things = row.things.slice();
  }

  /** @returns whether there was one. */
  delete(flow: FlowId): boolean {
    const number = rowOf(flow);
    const row = this.#rows.get(number);
    const place = placeIn(flow);
    if (row?.things[place] === undefined) return false;
    row.things[place] = undefined;
    row.used -= 1;
    this.#size -= 1;
    if (row.used === 0) this.#rows.delete(number);
    return true;
  }

  clear(): void {
    this.#rows.clear();
    this.#size = 0;
  }

  /** What is put in or taken out meanwhile is treated as a Map would. */
  *entries(): Generator<[FlowId, Thing]> {
    for (const [number, row] of this.#rows) {
      const first = number < 0 ? (number + 1) * ROW : number * ROW;
      for (let place = 0; place < row.things.length; place += 1) {
        const thing = row.things[place];
        if (thing !== undefined) yield [number < 0 ? first - place : first + place, thing];
      }
    }
  }

  *values(): Generator<Thing> {
    for (const [, thing] of this.entries()) yield thing;
  }
}

/** Flows of this side count up from 1, those that arrive down from -1: no row holds both. */
function rowOf(flow: FlowId): number {
  return flow < 0 ? -1 - Math.floor(-flow / ROW) : Math.floor(flow / ROW);
}

function placeIn(flow: FlowId): number {
  return Math.abs(flow) % ROW;
}
