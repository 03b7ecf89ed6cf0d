/** Checks for what only a bug can cause; they stay on in production. A peer's bytes never reach one. */

export class AssertionFailure extends Error {
  override readonly name = "AssertionFailure";
}

/** @throws AssertionFailure when `condition` is false: the program has a bug. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionFailure(message);
}

/** Marks a switch as exhaustive: compiles only if `value` can have no case left. */
export function unreachable(value: never): never {
  throw new AssertionFailure(`no case for ${String(value)}`);
}
