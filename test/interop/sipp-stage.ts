/** Where SIPp plays its corners: addresses of loopback, and a capture in which nothing may be wrong at the end. */
import { after, before } from "node:test";
import { Capture } from "../support/capture.ts";
import { Household } from "../support/processes.ts";

/** Addresses below are left to whoever stays for the whole of a file. */
const FIRST_ADDRESS = 12;

export class SippStage {
  readonly #packets: number;
  #household: Household | undefined;
  #capture: Capture | undefined;
  #next = FIRST_ADDRESS;

  /** Of the `describe` in which this is called; `packets` of SIP at least are exchanged in it. */
  constructor(block: number, packets: number) {
    this.#packets = packets;
    before(async () => {
      this.#household = await Household.open(block);
      this.#capture = await Capture.start(this.#household);
    });
    after(async () => {
      try {
        await this.#capture?.assertClean({ sip: this.#packets });
      } finally {
        await this.#household?.close();
      }
    });
  }

  get household(): Household {
    if (this.#household === undefined) throw new Error("the stage opens before the first test");
    return this.#household;
  }

  /** Two that nobody has yet. */
  pair(): [string, string] {
    return [this.address(), this.address()];
  }

  /** One that nobody has yet. */
  address(): string {
    this.#next += 1;
    return this.household.address(this.#next - 1);
  }
}
