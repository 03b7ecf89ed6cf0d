/** A phone that says nothing, for simulations and tests: only its accounts need to be given. */
import { silence } from "../media/tones.ts";
import type { AccountPolicy } from "../redundancy/policy.ts";
import type { PhoneConfig } from "./phone-config.ts";

/** It listens at any address and port, and answers every call. */
export function defaultPhone(
  accounts: readonly AccountPolicy[],
  change: Partial<PhoneConfig> = {},
): PhoneConfig {
  return {
    accounts,
    bindAddress: "0.0.0.0",
    localPort: 0,
    answer: "auto",
    recordedSamples: 0,
    audioSource: silence,
    userAgent: "Dialtone",
    instance: "urn:uuid:00000000-0000-4000-8000-000000000000",
    supported: ["udp", "tcp", "tls"],
    rule: (_account, path, value) => `${path.slice(path.lastIndexOf(".") + 1)}=${String(value)}`,
    ...change,
  };
}
