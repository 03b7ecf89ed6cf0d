/** A phone's configuration as the simulator needs it. */
import { silence } from "../../core/media/tones.ts";
import type { AnswerMode, PhoneConfig } from "../../core/phone/phone-config.ts";
import type { AccountPolicy } from "../../core/redundancy/policy.ts";

export interface PhonePlace {
  readonly address: string;
  /** 0: the system chooses. */
  readonly port: number;
  readonly answer: AnswerMode;
  /** Tells phones of one simulation apart: 0 … */
  readonly number: number;
}

/** Names the policy value that decided, and where it was read. */
export type RuleTeller = PhoneConfig["rule"];

export const SUPPORTED: PhoneConfig["supported"] = ["udp", "tcp", "tls", "ws", "wss"];

export const NO_ORIGIN: RuleTeller = (_account, path, value) => `${lastWord(path)}=${value}`;

export function simulatedPhone(
  accounts: readonly AccountPolicy[],
  place: PhonePlace,
  rule: RuleTeller = NO_ORIGIN,
): PhoneConfig {
  return {
    accounts,
    bindAddress: place.address,
    localPort: place.port,
    answer: place.answer,
    recordedSamples: 0,
    audioSource: silence,
    userAgent: "Dialtone",
    instance: instanceOf(place.number),
    supported: SUPPORTED,
    rule,
  };
}

/** A phone's name for life (RFC 5626 §4.1), by its number. */
export function instanceOf(number: number): string {
  return ["urn:uuid:00000000-0000-4000-8000", number.toString(16).padStart(12, "0")].join("-");
}

/** How long such a phone waits for a silent resolver: each try, and its repeats. */
export function dnsPatienceMs(accounts: readonly AccountPolicy[]): number {
  const dns = accounts[0]?.redundancy.dns;
  return dns === undefined ? 0 : dns.timeoutMs * (dns.retries + 1);
}

function lastWord(path: string): string {
  return path.slice(path.lastIndexOf(".") + 1);
}
