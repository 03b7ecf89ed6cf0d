/** The entity-tags of one publication, by the place that gave them (RFC 3903 §4): the latest, and those left behind. */
import type { Instant, Target } from "../machine.ts";
import { targetName } from "../redundancy/server-health.ts";
import { MAX_LEFT_PUBLICATIONS } from "./limits.ts";
import type { Whereabouts } from "./subscription-environment.ts";
import { isSamePlace } from "./subscription-rules.ts";

export interface KeptTag {
  readonly tag: string;
  readonly at: Whereabouts;
  /** Until then that place holds it. */
  readonly expiresAt: Instant;
}

export class KeptTags {
  /** The oldest first. */
  #tags: KeptTag[] = [];
  /** Those that this place has refused since we came. */
  readonly #tried = new Set<KeptTag>();

  /** What to offer: the latest, which servers that are one system know; then that of the place itself. */
  next(now: Instant, target: Target): KeptTag | undefined {
    const latest = this.#tags.at(-1);
    if (latest !== undefined && latest.expiresAt > now && !this.#tried.has(latest)) return latest;
    const own = this.at(now, target);
    return own === undefined || this.#tried.has(own) ? undefined : own;
  }

  /** That of a place, if it still holds one. */
  at(now: Instant, target: Target): KeptTag | undefined {
    const name = targetName(target);
    return this.#tags.findLast(
      ({ at, expiresAt }) => expiresAt > now && targetName(at.place.target) === name,
    );
  }

  /** @returns those that other places hold apart from it: it was not known there that it goes on. */
  accepted(made: KeptTag, offered: KeptTag | undefined): readonly KeptTag[] {
    const others = this.#tags.filter((one) => one !== offered && !isSamePlace(one.at, made.at));
    this.#tags = [...others.slice(1 - MAX_LEFT_PUBLICATIONS), made];
    this.#tried.clear();
    return others;
  }

  /** This place does not know it. What another place gave, that one may still hold. */
  refused(tag: KeptTag, by: Target): void {
    if (targetName(tag.at.place.target) === targetName(by)) this.drop(tag);
    else this.#tried.add(tag);
  }

  drop(tag: KeptTag): void {
    this.#tags = this.#tags.filter((one) => one !== tag);
    this.#tried.delete(tag);
  }

  /** We are at another place. */
  forgetTrials(): void {
    this.#tried.clear();
  }
}
