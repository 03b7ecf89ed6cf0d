/** What the servers of a cell have seen of its phones, and waiting for it. */

export type Standing = "primary" | "secondary";

export interface Sighting {
  /** Wall clock of the server, milliseconds. */
  readonly at: number;
  readonly server: Standing;
  /** A REGISTER was answered 200; the 200 of a callee went back to the caller. */
  readonly what: "registered" | "answered";
  /** Who registered or called. */
  readonly user: string;
}

type Wanted = (seen: Sighting) => boolean;

export class Sightings {
  readonly #all: Sighting[] = [];
  readonly #watchers = new Set<(seen: Sighting) => void>();

  add(seen: Sighting): void {
    this.#all.push(seen);
    for (const told of [...this.#watchers]) told(seen);
  }

  /** The first that is wanted, seen already or within so many seconds; undefined: there is none. */
  first(wanted: Wanted, seconds: number): Promise<Sighting | undefined> {
    const known = this.#all.find(wanted);
    if (known !== undefined) return Promise.resolve(known);
    return new Promise((resolve) => {
      const settle = (seen: Sighting | undefined): void => {
        clearTimeout(timer);
        this.#watchers.delete(told);
        resolve(seen);
      };
      const told = (seen: Sighting): void => {
        if (wanted(seen)) settle(seen);
      };
      const timer = setTimeout(() => settle(undefined), seconds * 1000);
      this.#watchers.add(told);
    });
  }

  /** Seconds from `since`, milliseconds of the wall clock, until it was seen; Infinity: it was not in time. */
  async secondsUntil(since: number, wanted: Wanted, seconds: number): Promise<number> {
    const left = seconds - (Date.now() - since) / 1000;
    const seen = await this.first((one) => one.at >= since && wanted(one), Math.max(0, left));
    return seen === undefined ? Number.POSITIVE_INFINITY : (seen.at - since) / 1000;
  }
}
