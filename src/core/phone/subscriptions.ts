/** The subscriptions of a phone, by account, and which NOTIFY is for which of them. */
import { dialogKey } from "../dialog/dialog.ts";
import type { Instant } from "../machine.ts";
import { toOf } from "../message/name-addr.ts";
import type { ServerTransaction } from "../transaction/user.ts";
import type { Account } from "./account.ts";
import { AccountSubscriptions } from "./subscription-account.ts";
import type { NotifyRegister, NotifyUser } from "./subscription-environment.ts";

export class PhoneSubscriptions implements NotifyRegister {
  /** By account index. */
  readonly #accounts = new Map<number, AccountSubscriptions>();
  /** By Call-ID and our tag: the notifier's is known only from its first NOTIFY. */
  readonly #users = new Map<string, NotifyUser>();
  #stopped = false;

  constructor(accounts: readonly Account[]) {
    for (const account of accounts) {
      this.#accounts.set(account.config.index, new AccountSubscriptions(account, this));
    }
  }

  /** No SUBSCRIBE or PUBLISH is on its way. */
  get atRest(): boolean {
    for (const account of this.#accounts.values()) if (account.busy) return false;
    for (const user of this.#users.values()) if (user.busy) return false;
    return true;
  }

  /** An account was registered somewhere, or its working server is another. */
  follow(now: Instant, account: number): void {
    if (!this.#stopped) this.#accounts.get(account)?.follow(now);
  }

  /** The first call of the phone was answered, or the last is over. */
  talks(now: Instant, talking: boolean): void {
    if (this.#stopped) return;
    for (const account of this.#accounts.values()) account.talks(now, talking);
  }

  /** @returns false if the request is no NOTIFY of a subscription that is known here. */
  requested(now: Instant, transaction: ServerTransaction): boolean {
    const { method, headers } = transaction.request;
    if (method !== "NOTIFY") return false;
    const key = dialogKey(headers.get("call-id") ?? "", toOf(headers)?.tag ?? "", "");
    const user = this.#users.get(key);
    user?.notified(now, transaction);
    return user !== undefined;
  }

  /** Ends them all, best-effort. */
  stop(now: Instant): void {
    this.#stopped = true;
    for (const account of this.#accounts.values()) account.stop(now);
  }

  close(): void {
    this.#stopped = true;
    for (const account of this.#accounts.values()) account.close();
    for (const user of [...this.#users.values()]) user.close();
  }

  join(callId: string, localTag: string, user: NotifyUser): void {
    this.#users.set(dialogKey(callId, localTag, ""), user);
  }

  leave(callId: string, localTag: string): void {
    this.#users.delete(dialogKey(callId, localTag, ""));
  }
}

/** Undefined if no account wants to hear of anything, or to tell. */
export function subscriptionsOf(accounts: readonly Account[]): PhoneSubscriptions | undefined {
  const curious = accounts.filter(
    ({ config }) =>
      config.messageWaiting ||
      config.subscribeRegistration ||
      config.publishPresence ||
      config.colleagues.length + config.presenceOf.length > 0,
  );
  return curious.length === 0 ? undefined : new PhoneSubscriptions(curious);
}
