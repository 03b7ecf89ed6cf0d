/**
 * I5: successive registration wants at most one live binding at any time; concurrent one per server, by
 * construction.
 */
import type { Instant } from "../../../core/machine.ts";
import type { Complain, Invariant, Watched } from "./invariant.ts";

export class OneBinding implements Invariant {
  readonly #watched: readonly Watched[];
  readonly #complain: Complain;

  constructor(watched: readonly Watched[], complain: Complain) {
    this.#watched = watched.filter(({ account }) => account.policy.registration === "successive");
    this.#complain = complain;
  }

  check(now: Instant): void {
    for (const { node, account, active } of this.#watched) {
      if (!active) continue;
      let wanted = "";
      let count = 0;
      for (const { index } of account.servers.routes) {
        const registration = account.registration(index);
        // One that is being removed waits for the REGISTER before it.
        if (registration?.place === undefined || registration.state === "removing") continue;
        wanted += count === 0 ? index : ` and ${index}`;
        count += 1;
      }
      if (count <= 1) continue;
      const what = `bindings wanted at servers ${wanted}`;
      this.#complain({ invariant: "I5", at: now, node, what });
    }
  }
}
