/** Draws a part again whenever the store has changed. */
import { useEffect, useReducer } from "preact/hooks";
import type { Store } from "../store.ts";

export function useStore(store: Store): void {
  const [, again] = useReducer((count: number, _again: undefined) => count + 1, 0);
  useEffect(() => store.listen(() => again(undefined)), [store]);
}
