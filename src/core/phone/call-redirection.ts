/**
 * Where else a caller may look (RFC 3261 §8.1.3.4): the Contacts of 3xx answers, best first, each tried once. They go
 * to the account's own servers under the new Request-URI: an answer names whom to call, never whom to send packets to.
 */
import type { Response } from "../message/message.ts";
import { contactsOf } from "../message/name-addr.ts";
import { parseUri, printUri } from "../message/uri.ts";
import { MAX_REDIRECTIONS } from "./limits.ts";

export class Redirections {
  readonly #scheme: string;
  readonly #known: Set<string>;
  #waiting: { readonly uri: string; readonly q: number }[] = [];
  #tried = 0;

  /** @param dialled the Request-URI so far. */
  constructor(dialled: string) {
    this.#scheme = parseUri(dialled)?.scheme ?? "sip";
    this.#known = new Set([dialled]);
  }

  /** The address to try after this refusal; undefined: there is none, and the refusal stands. */
  next(refusal: Response): string | undefined {
    if (refusal.status >= 600) return undefined;
    if (refusal.status < 400) this.#learn(refusal);
    const best = this.#waiting.shift();
    if (best === undefined || this.#tried === MAX_REDIRECTIONS) return undefined;
    this.#tried += 1;
    return best.uri;
  }

  #learn({ headers }: Response): void {
    const contacts = contactsOf(headers);
    if (contacts === undefined || contacts === "*") return;
    for (const contact of contacts) {
      const parsed = parseUri(contact.uri);
      // A secured call does not go on unsecured, nor is what was plain made to look secured.
      if (parsed?.scheme !== this.#scheme) continue;
      const uri = printUri({ ...parsed, headers: "" });
      if (this.#known.has(uri)) continue;
      this.#known.add(uri);
      this.#waiting.push({ uri, q: contact.q ?? 1 });
    }
    this.#waiting.sort((one, other) => other.q - one.q);
  }
}
