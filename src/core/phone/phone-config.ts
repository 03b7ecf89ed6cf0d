/** What makes one phone: read from provisioning files and the command line, or drawn by the simulator. */

import type { SipTransport } from "../locate/naptr.ts";
import type { Instant } from "../machine.ts";
import type { AudioSink } from "../media/playout.ts";
import type { AudioSource } from "../media/tones.ts";
import type { AccountPolicy } from "../redundancy/policy.ts";
import type { ServerTransaction } from "../transaction/user.ts";

/** What to do with an incoming call: answer it at once, let it ring until told, or refuse it with 486. */
export type AnswerMode = "auto" | "ring" | "busy";

/** What one phone is made of. */
export interface PhoneConfig {
  readonly accounts: readonly AccountPolicy[];
  /** Where to listen: a literal address, or `0.0.0.0` for all. */
  readonly bindAddress: string;
  /** The local SIP port; 0: the system chooses. */
  readonly localPort: number;
  readonly answer: AnswerMode;
  /** Samples kept of what is heard, at 8 kHz; 0: none. */
  readonly recordedSamples: number;
  /** What a call says, by its number: a tone, or what was recorded before. */
  audioSource(call: number): AudioSource;
  /** Who hears a call while it goes on. */
  audioSink?(call: number): AudioSink | undefined;
  /** The User-Agent header. */
  readonly userAgent: string;
  /** A URN that stays the same over restarts (RFC 5626 §4.1), without brackets. */
  readonly instance: string;
  /** Transports this phone can use. */
  readonly supported: readonly SipTransport[];
  /** `registerRetries=3 (front-desk.cfg:11)`: a policy value and where it was read. */
  rule(account: number, path: string, value: unknown): string;
  /** Asked of each request that no subscription claims: true if somebody else answers it. */
  takes?(now: Instant, transaction: ServerTransaction): boolean;
}
