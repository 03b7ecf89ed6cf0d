/**
 * Loop detection (RFC 3261 §16.3(4), RFC 5393 §4.2): the branch of each forwarded request ends in a digest of all that
 * decides where it goes. Meeting it again in the Vias means that nothing has changed since: a loop, not a spiral.
 */
import { cseqOf } from "../message/cseq.ts";
import type { Request } from "../message/message.ts";
import { viasOf } from "../message/via.ts";

/** What a request to this server is known by when it comes back. */
export function loopDigest(request: Request): string {
  const { headers } = request;
  let digest = 0x811c9dc5;
  digest = mix(digest, request.uri);
  digest = mix(digest, headers.get("call-id") ?? "");
  digest = mix(digest, headers.get("from") ?? "");
  digest = mix(digest, headers.get("to") ?? "");
  for (const routes of headers.all("route")) digest = mix(digest, routes);
  digest = mix(digest, String(cseqOf(headers)?.number ?? 0));
  return (digest >>> 0).toString(36);
}

/** @param isOwn whether a sent-by is ours. */
export function isLooping(
  request: Request,
  digest: string,
  isOwn: (host: string, port: number) => boolean,
): boolean {
  const vias = viasOf(request.headers) ?? [];
  return vias.some(({ host, port, branch }) => branch.endsWith(`.${digest}`) && isOwn(host, port));
}

/** FNV-1a. */
function mix(start: number, text: string): number {
  let digest = start;
  for (let index = 0; index < text.length; index += 1) {
    digest = Math.imul(digest ^ text.charCodeAt(index), 0x01000193);
  }
  return Math.imul(digest ^ 10, 0x01000193);
}
