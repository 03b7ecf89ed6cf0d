/**
 * The body `application/dialog-info+xml`: the calls of somebody who is watched (RFC 4235 §4). Only what a lamp needs is read:
 * the version of the document, and of each call its state and who began it.
 */
import { MAX_WATCHED_CALLS } from "./limits.ts";
import { type Attributes, tagsOf } from "./subscription-xml.ts";

export const DIALOG_INFO_TYPE = "application/dialog-info+xml";

export interface DialogInfo {
  readonly version: number;
  /** The whole state, not only what has changed. */
  readonly full: boolean;
  readonly calls: readonly WatchedCall[];
}

export interface WatchedCall {
  readonly id: string;
  /** `trying`, `early`, `confirmed`, `terminated` … */
  readonly state: string;
  /** Whoever is watched is called. */
  readonly incoming: boolean;
}

/** Undefined if the body is no XML that closes what it opens, is of another kind, or has no version. */
export function parseDialogInfo(body: string): DialogInfo | undefined {
  const calls: WatchedCall[] = [];
  const open: string[] = [];
  let root: Attributes | undefined;
  let call: Attributes | undefined;
  let state = "";
  for (const tag of tagsOf(body)) {
    if (tag === undefined) return undefined;
    if (!tag.closes) {
      if (open.length === 0 && (root !== undefined || tag.name !== "dialog-info")) return undefined;
      root ??= tag.attributes;
      if (tag.name === "dialog") call = tag.attributes;
      open.push(tag.name);
    }
    if (!(tag.closes || tag.empty)) continue;
    if (open.pop() !== tag.name) return undefined;
    if (tag.name === "state") state = tag.before.trim();
    if (tag.name !== "dialog" || call === undefined) continue;
    if (calls.length < MAX_WATCHED_CALLS) calls.push(callOf(call, state));
    call = undefined;
    state = "";
  }
  const version = root?.get("version") ?? "";
  if (open.length > 0 || !/^\d{1,15}$/.test(version)) return undefined;
  return { version: Number(version), full: root?.get("state") === "full", calls };
}

function callOf(attributes: Attributes, state: string): WatchedCall {
  const incoming = attributes.get("direction") === "recipient";
  return { id: attributes.get("id") ?? "", state, incoming };
}
