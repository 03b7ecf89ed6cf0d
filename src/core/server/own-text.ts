/** Texts of one's own, where a part of a packet would keep the whole of it alive. */

/** Parts no longer than this are copied by the engine. */
export const COPIED = 12;

export function copyOf(text: string): string {
  let copy = "";
  for (let at = 0; at < text.length; at += COPIED) copy += text.slice(at, at + COPIED);
  // Read once, it is in one piece, and no tree of its parts.
  copy.charCodeAt(0);
  return copy;
}
