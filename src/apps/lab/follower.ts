/** What the events of one running phone say: where an account is registered, and whether it is at its primary. */
import type { AnyEvent } from "../../api/event-fields.ts";
import type { Phone } from "../../api/phone.ts";

interface Standing {
  readonly address: string;
  /** Milliseconds of this process. */
  readonly until: number;
}

export class Follower {
  readonly #primary: string;
  /** The next request goes to the primary, wherever the last one went. */
  readonly #newRequests: boolean;
  readonly #standing = new Map<unknown, Standing>();
  readonly #listeners = new Set<(event: AnyEvent) => void>();
  #server = 1;
  #away = false;
  #overConnection = false;

  /** @param primary the address that the phone should use first. */
  constructor(phone: Phone, user: string, primary: string, newRequests: boolean) {
    this.#primary = primary;
    this.#newRequests = newRequests;
    phone.on("event", (event) => {
      if (event.account !== user) return;
      this.#saw(event);
      for (const listener of [...this.#listeners]) listener(event);
    });
  }

  /** Registered somewhere else than there. */
  registeredBeside(address: string): boolean {
    const now = performance.now();
    const all = [...this.#standing.values()];
    return all.some((one) => one.address !== address && one.until > now);
  }

  get registeredAtPrimary(): boolean {
    return [...this.#standing.values()].some(({ address }) => address === this.#primary);
  }

  /** The last registration went over a connection. */
  get overConnection(): boolean {
    return this.#overConnection;
  }

  /** The next request goes to the primary. */
  get home(): boolean {
    return this.#server === 1 && (this.#newRequests || !this.#away);
  }

  /** Tells of each event, after it was taken in, until the function returned is called. */
  listen(listener: (event: AnyEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Milliseconds from `since` until it holds; Infinity if it does not within `limitMs`. */
  async until(holds: () => boolean, since: number, limitMs: number): Promise<number> {
    if (holds()) return 0;
    return await new Promise((done) => {
      const end = (took: number): void => {
        stop();
        clearTimeout(timer);
        done(took);
      };
      const stop = this.listen(() => {
        if (holds()) end(performance.now() - since);
      });
      const timer = setTimeout(() => end(Number.POSITIVE_INFINITY), limitMs);
    });
  }

  #saw(event: AnyEvent): void {
    const { server, expires } = event;
    switch (event.event) {
      case "registration.accepted": {
        const address = addressOf(String(event.target));
        this.#standing.set(server, {
          address,
          until: performance.now() + Number(expires) * 1000,
        });
        this.#overConnection = !String(event.target).startsWith("udp:");
        if (server === 1) this.#away = address !== this.#primary;
        break;
      }
      case "registration.failed":
      case "registration.removed":
      case "registration.interrupted":
        this.#standing.delete(server);
        break;
      case "server.fell-back":
        this.#server = Number(event.to);
        break;
      case "server.failed-back":
        this.#server = Number(event.to);
        if (event.toTarget !== undefined) {
          this.#away = addressOf(String(event.toTarget)) !== this.#primary;
        }
        break;
    }
  }
}

/** `udp:127.0.0.13:5060` → `127.0.0.13`. */
function addressOf(target: string): string {
  return target.slice(target.indexOf(":") + 1, target.lastIndexOf(":"));
}
