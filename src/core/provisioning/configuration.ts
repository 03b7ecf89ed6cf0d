/** What reading provisioning files gives: accounts, where each value stands, and every fault at once. */
import type { AccountPolicy } from "../redundancy/policy.ts";
import type { FindingCode } from "./finding.ts";

/** Where a value was read. */
export interface Origin {
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  readonly key: string;
}

/** One file handed to a reader; `name` is what messages show. */
export interface SourceFile {
  readonly name: string;
  readonly text: string;
}

/** `error` ends the command with exit 2; `warning` is told and lived with; `note` works as documented, and surprises. */
export interface Fault extends Origin {
  readonly severity: "error" | "warning" | "note";
  /** What kind of finding it is, by a name that stays (docs/explain.md); absent outside of provisioning files. */
  readonly code?: FindingCode;
  readonly wrong: string;
  /** What to write instead. */
  readonly remedy: string;
}

/** One key as read, whatever became of it. Secrets are replaced by `***`. */
export interface Reading extends Origin {
  readonly value: string;
  readonly outcome: "honoured" | "overridden" | "no-effect" | "unknown" | "rejected";
  /** Why, unless plainly honoured: then "". */
  readonly reason: string;
  /** The policy field it decides, for instance `account.1.redundancy.servers.1.registerRetries`. */
  readonly decides: string;
}

/** What files came to, with every fault at once. */
export interface PhoneConfiguration {
  readonly dialect: "yealink" | "polycom" | "native";
  readonly accounts: readonly AccountPolicy[];
  readonly readings: readonly Reading[];
  readonly faults: readonly Fault[];
  /** The origin of each policy field that a file decided, by `decides` path. */
  readonly origins: ReadonlyMap<string, Origin>;
  /** Resolvers named in the files, `ADDRESS` or `ADDRESS:PORT` (static.network.primary_dns …); empty: the system's. */
  readonly resolvers: readonly string[];
  /** The local SIP port (sip.listen_port, voIpProt.SIP.local.port); 0: the system chooses. */
  readonly localPort: number;
  /** What else the files say of the phone; flags and settings of the program stand above it. */
  readonly station?: StationSettings;
}

/** What our own dialect can say of a phone beside its accounts. */
export interface StationSettings {
  /** A literal address, `0.0.0.0` or `::` for all. */
  readonly bind?: string;
  /** What becomes of an incoming call. */
  readonly answer?: "auto" | "ring" | "busy";
  /** The User-Agent header. */
  readonly userAgent?: string;
  /** A URN that stays the same over restarts (RFC 5626 §4.1). */
  readonly instance?: string;
}
