/** How a phone of the matrix comes to send the request of a cell, the same in both worlds. */

import type { Instant } from "../../../core/machine.ts";
import { silence } from "../../../core/media/tones.ts";
import type { Phone } from "../../../core/phone/phone.ts";
import type { PhoneConfig } from "../../../core/phone/phone-config.ts";
import { NO_ORIGIN } from "../phone-config.ts";
import type { Cell, MatrixMethod } from "./axes.ts";
import { accountOf, CALLEE, type Setting } from "./setting.ts";
import type { Witness } from "./witness.ts";

export function phoneOf(cell: Cell, setting: Setting): PhoneConfig {
  return {
    accounts: [accountOf(cell, setting)],
    bindAddress: setting.address.phone,
    localPort: 0,
    answer: "auto",
    recordedSamples: 0,
    audioSource: silence,
    userAgent: "Dialtone",
    instance: "urn:uuid:00000000-0000-4000-8000-000000000000",
    supported: ["udp", "tcp", "tls", "ws"],
    rule: NO_ORIGIN,
  };
}

/** The event by which the phone is known to be ready for the fault. */
export function readyAt(method: MatrixMethod): string {
  if (method === "BYE") return "call.answered";
  return method === "SUBSCRIBE" ? "subscription.accepted" : "registration.accepted";
}

/** Brings the phone on its way to that event, as far as it does not go there by itself. */
export function prepare(phone: Phone, method: MatrixMethod): void {
  if (method === "BYE") phone.call(CALLEE);
}

/** A SUBSCRIBE is due by itself. */
export function trigger(now: Instant, phone: Phone, method: MatrixMethod, witness: Witness): void {
  switch (method) {
    case "REGISTER":
      phone.accounts[0]?.refreshDue(now, 1);
      break;
    case "INVITE":
      phone.call(CALLEE);
      break;
    case "BYE":
      phone.hangup(now);
      break;
    case "OPTIONS":
      phone.send(now, OPTIONS, {
        final: (at, { status }) => witness.told(at, `told ${status}`),
        failed: (at, { why }) => witness.told(at, `told ${why}`),
      });
      break;
    case "SUBSCRIBE":
      break;
  }
}

const OPTIONS = { method: "OPTIONS", to: undefined, headers: [], body: "", account: undefined };
