/** Bodies of several parts (RFC 2046 §5.1) as user agents have to take them (RFC 5621 §4). */
import type { Message } from "./message.ts";

/** Parts within parts are looked into so deep. */
const MAX_DEPTH = 3;

/**
 * Puts the part of one type in the place of the multipart body that it came in; of several the last, which RFC 2046
 * prefers. The message stays as it is if there is none, or if some other part says that it must be understood.
 * Deviation: a part that says nothing of that need not be, though RFC 3261 §20.11 would have it so: a call for help
 * that tells where it comes from is not to be refused for it.
 * @param wanted `application/sdp`, in lower case.
 */
export function openMultipart(message: Message, wanted: string): void {
  const { headers, body } = message;
  const type = headers.get("content-type");
  if (type === undefined || !isMultipart(type) || headers.has("content-encoding")) return;
  const found = partOf(type, body, wanted, 0);
  if (typeof found !== "string") return;
  headers.set("content-type", wanted);
  message.body = found;
}

const NOT_UNDERSTOOD = Symbol("a part that must be understood is not");

type Found = string | undefined | typeof NOT_UNDERSTOOD;

function partOf(type: string, body: string, wanted: string, depth: number): Found {
  let found: string | undefined;
  for (const part of partsOf(type, body)) {
    const end = part.indexOf("\r\n\r\n");
    const head = part.slice(0, end < 0 ? part.length : end).replace(/\r\n[ \t]+/g, " ");
    const content = end < 0 ? "" : part.slice(end + 4);
    const kind = headerIn(head, "content-type") ?? "text/plain";
    const plain = /^(?:7bit|8bit|binary)?$/i.test(
      headerIn(head, "content-transfer-encoding") ?? "",
    );
    if (plain && kind.split(";")[0]?.trim().toLowerCase() === wanted) {
      found = content;
    } else if (isMultipart(kind) && depth < MAX_DEPTH) {
      const inner = partOf(kind, content, wanted, depth + 1);
      if (inner === NOT_UNDERSTOOD) return inner;
      found = inner ?? found;
    } else if (
      /;\s*handling\s*=\s*"?required\b/i.test(headerIn(head, "content-disposition") ?? "")
    ) {
      return NOT_UNDERSTOOD;
    }
  }
  return found;
}

/** What stands between the delimiters, each with its headers; without preamble and epilogue. */
function partsOf(type: string, body: string): string[] {
  const match = /;\s*boundary\s*=\s*(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(type);
  const boundary = (match?.[1] ?? match?.[2] ?? "").replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  if (boundary === "") return [];
  const text = `\r\n${body}`;
  const parts: string[] = [];
  let start = -1;
  for (const found of text.matchAll(new RegExp(`\r\n--${boundary}(--)?[ \t]*(?=\r\n|$)`, "g"))) {
    // The line end that a part begins with is that of the delimiter.
    if (start >= 0) parts.push(text.slice(start, found.index).replace(/^\r\n/, ""));
    start = found[1] === undefined ? found.index + found[0].length : text.length;
    if (found[1] !== undefined) break;
  }
  return parts;
}

function headerIn(head: string, lowerName: string): string | undefined {
  for (const line of head.split("\r\n")) {
    const colon = line.indexOf(":");
    if (line.slice(0, colon).trim().toLowerCase() === lowerName)
      return line.slice(colon + 1).trim();
  }
  return undefined;
}

function isMultipart(type: string): boolean {
  return /^multipart\//i.test(type);
}
