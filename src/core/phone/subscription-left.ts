/**
 * Dialogs of a subscription that were left where nobody answered. Their notifier may live and keep them, so each is
 * ended when it has accepted a new one: otherwise one more would pile up with every return (C29).
 */
import type { SubscriptionUsage } from "../dialog/subscription.ts";
import type { Instant, Target } from "../machine.ts";
import { targetName } from "../redundancy/server-health.ts";
import { MAX_LEFT_DIALOGS } from "./limits.ts";

interface LeftDialog {
  readonly usage: SubscriptionUsage;
  readonly at: string;
  /** Until then the notifier holds it. */
  readonly expiresAt: Instant;
}

export class LeftDialogs {
  /** The oldest first. */
  #dialogs: LeftDialog[] = [];

  add(usage: SubscriptionUsage, target: Target, expiresAt: Instant): void {
    if (this.#dialogs.length >= MAX_LEFT_DIALOGS) this.#dialogs.shift();
    this.#dialogs.push({ usage, at: targetName(target), expiresAt });
  }

  /** Those left at a target that its notifier may still hold; they are kept here no more. */
  takeAt(now: Instant, target: Target): readonly SubscriptionUsage[] {
    const name = targetName(target);
    const lasting = this.#dialogs.filter(({ expiresAt }) => expiresAt > now);
    this.#dialogs = lasting.filter(({ at }) => at !== name);
    return lasting.filter(({ at }) => at === name).map(({ usage }) => usage);
  }
}
