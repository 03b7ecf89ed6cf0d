/** Waiting for the events of a phone or server: for one of them, or for all in a loop. */
import { type EventEmitter, on } from "node:events";
import { StateError } from "./errors.ts";
import type { AnyEvent } from "./event-fields.ts";

/** How long to wait. */
export interface WaitOptions {
  /** Ends the waiting; the promise rejects with its reason. */
  readonly signal?: AbortSignal;
}

/** The first event that is one of those wanted; rejects with StateError if nothing can come any more. */
export async function firstOf<Wanted extends AnyEvent>(
  emitter: EventEmitter,
  isWanted: (event: AnyEvent) => event is Wanted,
  { signal }: WaitOptions,
): Promise<Wanted> {
  return await new Promise<Wanted>((resolve, reject) => {
    const look = (event: AnyEvent): void => {
      if (isWanted(event)) settle(() => resolve(event));
    };
    const abort = (): void => settle(() => reject(signal?.reason));
    const close = (): void => settle(() => reject(new StateError("it was stopped")));
    const settle = (end: () => void): void => {
      emitter.off("event", look);
      emitter.off("close", close);
      signal?.removeEventListener("abort", abort);
      end();
    };
    emitter.on("event", look);
    emitter.on("close", close);
    signal?.addEventListener("abort", abort);
  });
}

/** Every event from now on, and not only from when the loop begins; it ends with `close`. */
export function eventsOf(
  emitter: EventEmitter,
  { signal }: WaitOptions,
): AsyncGenerator<unknown, void> {
  const given = signal === undefined ? {} : { signal };
  return firstOfEach(on(emitter, "event", { ...given, close: ["close"] }));
}

async function* firstOfEach(told: AsyncIterable<unknown[]>): AsyncGenerator<unknown, void> {
  for await (const [event] of told) yield event;
}
