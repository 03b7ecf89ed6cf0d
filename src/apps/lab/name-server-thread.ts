/** The thread of `NameServer`: obeys its orders one by one and tells of every question. */
import { parentPort } from "node:worker_threads";
import { type DnsFaults, DnsServer } from "./dns-server.ts";
import { machineClock } from "./wall-clock.ts";
import type { ZoneData } from "./zone.ts";

export type Order =
  | {
      readonly do: "listen";
      readonly address: string;
      readonly port: number;
      readonly zone: ZoneData;
    }
  | { readonly do: "faults"; readonly faults: Partial<DnsFaults> }
  | { readonly do: "heal" | "close" }
  | { readonly do: "zone"; readonly zone: ZoneData };

/** Its answer carries the same number. */
export interface NumberedOrder {
  readonly id: number;
  readonly order: Order;
}

/** `at` on the clock of the machine, milliseconds. */
export interface Asked {
  readonly kind: "asked";
  readonly at: number;
  readonly name: string;
  readonly type: string;
}

export interface Answered {
  readonly kind: "answered";
  readonly id: number;
  readonly at: number;
  /** Why it could not be done. */
  readonly failed?: string;
}

export type Told = Asked | Answered;

const tell = (told: Told): void => parentPort?.postMessage(told);
let server: DnsServer | undefined;

async function obey(order: Order): Promise<void> {
  switch (order.do) {
    case "listen":
      server = new DnsServer({
        zone: order.zone,
        asked: ({ name, type }) => tell({ kind: "asked", at: machineClock(), name, type }),
      });
      await server.listen(order.address, order.port);
      break;
    case "faults":
      server?.setFaults(order.faults);
      break;
    case "heal":
      server?.heal();
      break;
    case "zone":
      server?.setZone(order.zone);
      break;
    case "close":
      await server?.close();
      parentPort?.close();
      break;
  }
}

parentPort?.on("message", ({ id, order }: NumberedOrder) => {
  obey(order).then(
    () => tell({ kind: "answered", id, at: machineClock() }),
    (error: unknown) => {
      const failed = error instanceof Error ? error.message : String(error);
      tell({ kind: "answered", id, at: machineClock(), failed });
    },
  );
});
