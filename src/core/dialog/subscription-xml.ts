/** The small XML documents that notifiers send: their tags, and no more of XML 1.0 than such bodies need. */

const TAG = /<(\/?)(?:[\w.-]+:)?([\w.-]+)((?:\s+[\w.:-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>/y;
const ATTRIBUTE = /([\w.:-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;

export type Attributes = ReadonlyMap<string, string>;

export interface Tag {
  readonly name: string;
  readonly closes: boolean;
  readonly empty: boolean;
  readonly attributes: Attributes;
  /** The text between the tag before and this one. */
  readonly before: string;
}

/** Every tag in order; undefined where the text is none. Document types and their entities are not taken. */
export function* tagsOf(body: string): Generator<Tag | undefined, void> {
  let end = 0;
  for (let at = body.indexOf("<"); at >= 0; at = body.indexOf("<", at)) {
    const skipped = passedOver(body, at);
    if (skipped > at) {
      at = skipped;
      continue;
    }
    TAG.lastIndex = at;
    const match = TAG.exec(body);
    if (match === null) {
      yield undefined;
      return;
    }
    const [whole, slash, name = "", attributes = "", empty] = match;
    const before = body.slice(end, at);
    at += whole.length;
    end = at;
    const read = new Map(
      [...attributes.matchAll(ATTRIBUTE)].map((one) => [
        one[1] as string,
        decoded(one[2] ?? one[3] ?? ""),
      ]),
    );
    yield { name, closes: slash === "/", empty: empty === "/", attributes: read, before };
  }
}

/** Behind a declaration or comment that begins at `at`; `at` itself if neither does. */
function passedOver(body: string, at: number): number {
  for (const [start, end] of [
    ["<?", "?>"],
    ["<!--", "-->"],
  ] as const) {
    const close = body.startsWith(start, at) ? body.indexOf(end, at) : -1;
    if (close >= 0) return close + end.length;
  }
  return at;
}

export function decoded(text: string): string {
  return text
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&apos;", "'")
    .replaceAll("&amp;", "&");
}

/** A text as XML holds it between tags and in attributes. */
export function escapeXml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
