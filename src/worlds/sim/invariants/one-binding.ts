/**
 * I5: successive registration wants at most one live binding at any time; concurrent one per server, by
 * construction. Whoever is to remove what an earlier life has left begins with that (unregister_on_reboot).
 */
import type { Instant } from "../../../core/machine.ts";
import type { SimulatedMessage } from "../surroundings.ts";
import { callIdOf } from "./glance.ts";
import type { Complain, Invariant, Watched } from "./invariant.ts";

const FURTHER_FLOW = /^Contact: .*;reg-id=\d{3}/m;

export class OneBinding implements Invariant {
  readonly #watched: readonly Watched[];
  readonly #complain: Complain;
  /** Those that begin with a removal. */
  readonly #clearing: ReadonlySet<string>;
  /** Call-IDs of registrations that have begun. */
  readonly #begun = new Set<string>();

  constructor(watched: readonly Watched[], complain: Complain) {
    this.#watched = watched.filter(({ account }) => account.policy.registration === "successive");
    const clearing = watched.filter(({ account }) => account.config.unregisterOnStart);
    this.#clearing = new Set(clearing.map(({ node }) => node));
    this.#complain = complain;
  }

  message({ at, node, direction }: SimulatedMessage, text: string): void {
    if (direction !== "out" || !text.startsWith("REGISTER ") || !this.#clearing.has(node)) return;
    const callId = callIdOf(text);
    if (this.#begun.has(callId)) return;
    this.#begun.add(callId);
    // A second flow of this life has no earlier one.
    if (/^Expires: 0\r?$/m.test(text) || FURTHER_FLOW.test(text)) return;
    const what = "registers before it has removed the bindings of an earlier life";
    this.#complain({ invariant: "I5", at, node, what });
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
