/**
 * When `--call` places its call, and from which account: from the first that is registered. If no server has taken any
 * account's REGISTER, from the first account whose policy calls without registration (inviteUnregistered); failing
 * that, from none.
 */
import type { AccountPolicy } from "../core/redundancy/policy.ts";

/** The account to call from, by its number; or why there is no use in a call. */
export type FirstCallDecision =
  | { readonly kind: "call"; readonly account: number }
  | { readonly kind: "hopeless"; readonly why: string };

/** One registration that an account wants. */
interface Wanted {
  readonly account: AccountPolicy;
  readonly server: number;
  /** Undefined until it has failed once. */
  why: string | undefined;
}

export class FirstCall {
  readonly #accounts: readonly AccountPolicy[];
  readonly #wanted: readonly Wanted[];

  constructor(accounts: readonly AccountPolicy[]) {
    this.#accounts = accounts.filter((account) => account.enabled);
    this.#wanted = this.#accounts.flatMap((account) =>
      account.redundancy.servers.flatMap(({ register }, index) =>
        register ? [{ account, server: index + 1, why: undefined }] : [],
      ),
    );
  }

  /** An account that registers nowhere has nothing to wait for. */
  started(): FirstCallDecision | undefined {
    const free = this.#accounts.find((one) => this.#wanted.every(({ account }) => account !== one));
    return free === undefined ? undefined : { kind: "call", account: free.index };
  }

  registered(user: unknown): FirstCallDecision | undefined {
    const account = this.#accounts.find((one) => one.user === user);
    return account === undefined ? undefined : { kind: "call", account: account.index };
  }

  /** A REGISTER has come to nothing; undefined while another may still be taken. */
  failed(user: unknown, server: unknown, why: string): FirstCallDecision | undefined {
    for (const one of this.#wanted) {
      if (one.account.user === user && one.server === server) one.why = why;
    }
    if (this.#wanted.some((one) => one.why === undefined)) return undefined;
    const bold = this.#accounts.find((account) => account.redundancy.inviteUnregistered);
    if (bold !== undefined) return { kind: "call", account: bold.index };
    const reasons = this.#wanted.map(
      (one) => `${one.account.user} at server ${one.server}: ${one.why}`,
    );
    return { kind: "hopeless", why: `no server took a registration (${reasons.join(", ")})` };
  }
}
