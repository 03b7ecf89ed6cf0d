/**
 * A change of message counts at one node of a system is told at all of them: the store holds the last changes under one
 * key, and every node reads them with each sign of life. A node that does not find the last change that it knows among
 * them has missed some: it looks at the counts of all whom it would have to tell.
 */
import type { Inquiries, Inquiry } from "../inquiry.ts";
import type { Instant } from "../machine.ts";
import type { StoreAnswer } from "../vocabulary.ts";
import { MAX_MESSAGE_CHANGES } from "./limits.ts";
import type { MessageSummaryPackage } from "./message-summary.ts";
import type { Notifier } from "./notifier.ts";
import { replace } from "./replace.ts";

export interface MessageChangesParts {
  /** The life of this node. */
  readonly boot: string;
  readonly inquiries: Inquiries;
  readonly notifier: Notifier;
  readonly summaries: MessageSummaryPackage;
}

interface Change {
  /** The life of the node where it was made, a dot, a number of its own. */
  readonly id: string;
  readonly user: string;
}

const KEY = "message-changes";
const FORMAT = "message-changes 1";

const LINE = /^(\S+) (\S+)$/;

export class MessageChanges {
  readonly #parts: MessageChangesParts;
  /** Whose counts were changed here and the other nodes do not know it, the latest last. */
  #untold: readonly string[] = [];
  /** Who is watched here, and whose counts are to be looked at. */
  readonly #due = new Set<string>();
  /** What was read last, empty if nothing was there; undefined: nothing was read yet. */
  #seen: string | undefined;
  #lastId = 0;
  #writing = false;
  #reading = false;

  constructor(parts: MessageChangesParts) {
    this.#parts = parts;
  }

  /** The count of a user was changed here, and is in the store. */
  changed(now: Instant, user: string): void {
    this.#untold = [...this.#untold, user].slice(-MAX_MESSAGE_CHANGES);
    this.#write(now);
  }

  /** The count of a user could not be read when it was to be told. */
  unread(user: string): void {
    this.#due.add(user);
  }

  /** This node has given a sign of life: what the others have changed is told now, and what could not be written is. */
  signOfLife(now: Instant): void {
    this.#write(now);
    if (this.#reading) return;
    this.#reading = true;
    this.#parts.inquiries.start(now, this.#read(), () => {
      this.#reading = false;
    });
  }

  /** What the others do not know yet is written now or never. */
  stop(now: Instant): void {
    this.#write(now);
  }

  #write(now: Instant): void {
    if (this.#writing || this.#untold.length === 0) return;
    this.#writing = true;
    const users = this.#untold;
    this.#untold = [];
    this.#parts.inquiries.start(now, this.#append(users), (at, written) => {
      this.#writing = false;
      if (written) this.#write(at);
      else this.#untold = [...users, ...this.#untold].slice(-MAX_MESSAGE_CHANGES);
    });
  }

  /** @returns false if the store is not there. */
  #append(users: readonly string[]): Inquiry<boolean> {
    return replace(KEY, (before = "") => {
      // Named anew in each attempt: one that seemed to fail may have succeeded, and no name stands there twice.
      const added = users.map((user) => ({ id: this.#newId(), user }));
      return encoded([...decoded(before), ...added].slice(-MAX_MESSAGE_CHANGES));
    });
  }

  *#read(): Inquiry<void> {
    const read = (yield { kind: "store.read", key: KEY }) as StoreAnswer;
    if (read.kind !== "stored") return;
    const text = read.value ?? "";
    if (text !== this.#seen) {
      for (const user of this.#changedSince(decoded(text))) this.#due.add(user);
      this.#seen = text;
    }
    yield* this.#tell();
  }

  /** Whose counts others have changed since the last reading; if that cannot be known, all who are watched here. */
  #changedSince(changes: readonly Change[]): Iterable<string> {
    const { boot, notifier, summaries } = this.#parts;
    const last = decoded(this.#seen ?? "").at(-1)?.id;
    const known = changes.findIndex(({ id }) => id === last);
    if (known < 0) return notifier.watched(summaries.name);
    const others = changes.slice(known + 1).filter(({ id }) => !id.startsWith(`${boot}.`));
    return others.map(({ user }) => user);
  }

  /** One after the other, for they may be many. */
  *#tell(): Inquiry<void> {
    const { inquiries, notifier, summaries } = this.#parts;
    const { name } = summaries;
    for (const user of this.#due) if (!notifier.isWatched(name, user)) this.#due.delete(user);
    for (const user of this.#due) {
      const summary = yield* summaries.known(user);
      if (summary === undefined) return;
      this.#due.delete(user);
      // A count that the store has lost is not said to be none.
      if (summary === "" || notifier.isTold(name, user, summary)) continue;
      notifier.changed(inquiries.now, name, user, "", summary);
    }
  }

  #newId(): string {
    this.#lastId += 1;
    return `${this.#parts.boot}.${this.#lastId}`;
  }
}

function encoded(changes: readonly Change[]): string {
  return [FORMAT, ...changes.map(({ id, user }) => `${id} ${user}`)].join("\n");
}

/** A text in another format counts as nothing. */
function decoded(text: string): Change[] {
  const [format, ...lines] = text.split("\n");
  if (format !== FORMAT) return [];
  return lines.flatMap((line) => {
    const [, id, user] = LINE.exec(line) ?? [];
    return id === undefined || user === undefined ? [] : [{ id, user }];
  });
}
