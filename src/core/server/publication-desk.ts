/** The event state compositor of RFC 3903 §6: takes the PUBLISHes of users for their own presence. */

import { PIDF_TYPE, parsePresence } from "../dialog/subscription-presence.ts";
import { newTag, token } from "../identifiers.ts";
import type { Inquiries } from "../inquiry.ts";
import type { Instant } from "../machine.ts";
import { secondsOf } from "../message/delta.ts";
import type { Request, Response } from "../message/message.ts";
import { fromOf, toOf } from "../message/name-addr.ts";
import { responseTo } from "../message/print.ts";
import { parseUri, unescapeUser } from "../message/uri.ts";
import type { Entropy } from "../primitives.ts";
import type { ServerTransaction } from "../transaction/user.ts";
import type { TraceEvent } from "../vocabulary.ts";
import type { Domains } from "./domains.ts";
import type { PresencePackage } from "./presence.ts";
import type { PublishOutcome, Wish } from "./publications.ts";
import type { NextStop } from "./routing.ts";
import type { Users } from "./users.ts";

export interface PublicationParts {
  readonly presence: PresencePackage;
  readonly inquiries: Inquiries;
  readonly entropy: Entropy;
  readonly domains: Domains;
  /** Undefined: everybody is known. */
  readonly users: Users | undefined;
  /** Seconds; shorter is answered 423, longer is shortened. */
  readonly minExpires: number;
  readonly maxExpires: number;
  /** What is told of a user is another now. */
  changed(now: Instant, resource: string): void;
  report(event: TraceEvent): void;
}

/** Seconds where a PUBLISH does not say. */
const DEFAULT_EXPIRES = 3_600;

/** Another server may still have its store (redundancy.md §4: 503 is switchable, 500 is an answer). */
const REFUSALS: Readonly<Record<Exclude<PublishOutcome, "published">, readonly [number, string?]>> =
  {
    "unknown-tag": [412],
    unavailable: [503, "Event State Store Unavailable"],
    contended: [500, "Event State Changed Meanwhile"],
  };

export class PublicationDesk {
  readonly #parts: PublicationParts;

  constructor(parts: PublicationParts) {
    this.#parts = parts;
  }

  /** @returns false if the request is no PUBLISH to a user here. It has been admitted. */
  requested(now: Instant, transaction: ServerTransaction, stop: NextStop): boolean {
    const { request } = transaction;
    if (request.method !== "PUBLISH" || stop.kind !== "user") return false;
    const resource = unescapeUser(stop.user);
    const seconds = this.#seconds(request);
    const wish = this.#refusal(request, resource, seconds) ?? this.#wish(request, seconds);
    if ("kind" in wish) transaction.respond(now, wish);
    else this.#publish(now, transaction, resource, wish);
    return true;
  }

  #publish(now: Instant, transaction: ServerTransaction, resource: string, wish: Wish): void {
    const { domains, inquiries, presence, changed, report } = this.#parts;
    const { request } = transaction;
    inquiries.start(now, presence.publish(resource, wish), (at, outcome) => {
      if (outcome !== "published") {
        transaction.respond(at, this.#answer(request, ...REFUSALS[outcome]));
        return;
      }
      const response = this.#answer(request, 200);
      response.headers.add("sip-etag", wish.tag).add("expires", String(wish.seconds));
      transaction.respond(at, response);
      const aor = domains.name(resource);
      const { document, seconds } = wish;
      if (seconds === 0) report({ event: "publication.removed", aor });
      else if (document !== undefined) {
        report({ event: "publication.accepted", aor, expires: seconds });
      }
      if (seconds === 0 || document !== undefined) changed(at, resource);
    });
  }

  /** Who may publish what, and for how long: as himself only. */
  #refusal(request: Request, resource: string, seconds: number): Response | undefined {
    const { domains, minExpires, users } = this.#parts;
    const { headers } = request;
    if (toOf(headers)?.tag !== undefined) return this.#answer(request, 403, "Not In A Dialog");
    if (users !== undefined && users.get(resource) === undefined) return this.#answer(request, 404);
    const publisher = parseUri(fromOf(headers)?.uri ?? "");
    const himself =
      publisher !== undefined &&
      domains.serves(publisher.host) &&
      unescapeUser(publisher.user) === resource;
    if (!himself) return this.#answer(request, 403, "Not Your Own Presence");
    if (seconds === 0 || seconds >= minExpires || seconds >= DEFAULT_EXPIRES) return undefined;
    const response = this.#answer(request, 423);
    response.headers.add("min-expires", String(minExpires));
    return response;
  }

  /** RFC 3903 §6, steps 3 to 6: a body begins or changes a publication, none refreshes or ends it. */
  #wish(request: Request, seconds: number): Wish | Response {
    const { body, headers } = request;
    const ifMatch = headers.get("sip-if-match");
    const tag = token(this.#parts.entropy, 2);
    if (body === "") {
      const standing = { ifMatch, seconds, document: undefined, tag };
      return ifMatch === undefined ? this.#answer(request, 400, "No Event State") : standing;
    }
    const type = headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
    if (type !== PIDF_TYPE || headers.has("content-encoding")) {
      const response = this.#answer(request, 415);
      response.headers.add("accept", PIDF_TYPE);
      return response;
    }
    const document = parsePresence(body);
    if (document === undefined) return this.#answer(request, 400, "Malformed Presence");
    return { ifMatch, seconds, document, tag };
  }

  #seconds({ headers }: Request): number {
    return Math.min(secondsOf(headers, "expires") ?? DEFAULT_EXPIRES, this.#parts.maxExpires);
  }

  #answer(request: Request, status: number, reason?: string): Response {
    return responseTo(request, status, reason, newTag(this.#parts.entropy));
  }
}
