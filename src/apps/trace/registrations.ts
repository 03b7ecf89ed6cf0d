/** Tells a registration that moved from one that was only renewed where it stands. */
import { field, type TraceRecord } from "./record.ts";

export class Registrations {
  /** Where each (phone, account, server entry) is registered. */
  readonly #targets = new Map<string, string>();

  /** Takes every record in order; true for a `registration.accepted` that changes nothing. */
  renews(record: TraceRecord): boolean {
    // A new process knows nothing of what the last one had.
    if (record.event === "phone.started") this.#forget(record.node);
    const [noun] = record.event.split(".");
    if (noun !== "registration") return false;
    const key = `${record.node} ${field(record, "account")} ${field(record, "server")}`;
    if (record.event !== "registration.accepted") {
      this.#targets.delete(key);
      return false;
    }
    const target = field(record, "target");
    if (this.#targets.get(key) === target) return true;
    this.#targets.set(key, target);
    return false;
  }

  #forget(node: string): void {
    for (const key of this.#targets.keys()) {
      if (key.startsWith(`${node} `)) this.#targets.delete(key);
    }
  }
}
