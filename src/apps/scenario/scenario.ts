/**
 * A scenario: who is there, what is done to them, and what must then be seen. The same file is played with real
 * processes (`dialtone lab`) and in virtual time (`dialtone sim`). docs/scenarios.md describes the YAML.
 */
import type { NetworkFault } from "../../core/network-rules.ts";

export interface Scenario {
  readonly name: string;
  /** The file it was read from, for messages. */
  readonly file: string;
  readonly title: string;
  readonly topology: Topology;
  readonly steps: readonly Step[];
  /** How long to go on watching after the last step. */
  readonly settleMs: number;
  readonly expectations: readonly Expectation[];
  /** What each node must have decided, in this order and nothing else: the same in every world. */
  readonly sequences: readonly Sequence[];
}

export interface Topology {
  readonly domain: string;
  /** Zone text in master-file form with placeholders; undefined: no resolver. */
  readonly zone: string | undefined;
  /** Further domains of every server, with placeholders. */
  readonly domains?: readonly string[];
  /** Servers ask nobody for a password. */
  readonly open?: boolean;
  /** On real processes each node has a network of its own, and a relay carries the packets between them. */
  readonly network?: "namespaces";
  readonly servers: readonly ServerPlan[];
  readonly phones: readonly PhonePlan[];
  readonly loads?: readonly LoadPlan[];
}

export interface ServerPlan {
  readonly name: string;
  readonly role: "working" | "fallback";
  /** `shared`: one location store for all servers that say so. */
  readonly location: "shared" | "own";
  /** Whether it runs when the play begins. */
  readonly up: boolean;
  /** It listens for TLS, too, at the port after its own. */
  readonly tls?: boolean;
  /** So far ahead its clock is; negative: behind. */
  readonly clockSkewSeconds?: number;
  /** Where it listens at its address; UDP and TCP at its port unless said otherwise. */
  readonly doors?: readonly Door[];
  /** Another make than ours; only real processes can play it. */
  readonly guest?: GuestServer;
}

export interface Door {
  readonly transport: "udp" | "tcp" | "tls";
  readonly port: number;
}

export interface PhonePlan {
  readonly name: string;
  readonly user: string;
  readonly password: string;
  readonly answer: "auto" | "ring" | "busy";
  /** Provisioning files with placeholders; later ones overlay earlier ones. */
  readonly files: readonly PlannedFile[];
  /** Another make than ours; only real processes can play it. */
  readonly guest?: GuestPhone;
}

/** Programs of others that may stand as nodes. */
export type GuestProgram = "kamailio" | "baresip" | "linphone" | "sipp";

export interface GuestServer {
  readonly program: "kamailio";
  /** Its configuration, with placeholders; undefined: one of the lab. */
  readonly config: GuestText | undefined;
  /** The longest registration that the lab's configuration grants. */
  readonly expiresSeconds: number;
  /** With the lab's configuration: it listens for TLS, too, at the port after its own. */
  readonly tls?: boolean;
}

/** Written in the scenario, or in a file of its own. */
export type GuestText = { readonly text: string } | { readonly path: string };

export interface GuestPhone {
  readonly program: "baresip" | "linphone";
  /** Where it registers. */
  readonly server: string;
  readonly expiresSeconds: number;
  /** UDP unless it has a network of its own: else it would come from whatever address the system likes. */
  readonly transport: "udp" | "tcp" | "tls";
}

/** Calls by the dozen: SIPp. */
export interface LoadPlan {
  readonly name: string;
  /** `uac` and `uas` are the lab's own; a path is one of the user's. */
  readonly scenario: "uac" | "uas" | { readonly path: string };
  /** The server that it sends to; undefined: it waits to be called. */
  readonly to: string | undefined;
  /** The phone that is called. */
  readonly callee: string | undefined;
  /** New calls a second, their number, and how long each lasts. */
  readonly rate: number;
  readonly calls: number;
  readonly talkSeconds: number;
  /** A caller waits so long for each answer. */
  readonly patienceSeconds: number;
  readonly transport: "udp" | "tcp";
}

export interface PlannedFile {
  readonly name: string;
  readonly text: string;
}

/**
 * What can befall a server. `heal` ends `answer-503`, `drop`, `delay` and `refuse`; `revive` ends `kill`, `stop` (an end
 * in order) and `freeze`.
 */
export type ServerFault =
  | Fate
  | { readonly kind: "drop" | "refuse" }
  | { readonly kind: "heal" }
  /** Its connections are reset, and new ones may be made. */
  | { readonly kind: "reset" }
  | { readonly kind: "certificate"; readonly shown: ShownCertificate }
  | { readonly kind: "answer-503"; readonly retryAfterSeconds: number | undefined }
  | { readonly kind: "delay"; readonly ms: number };

/** What can befall a process. */
export type Fate = { readonly kind: "kill" | "stop" | "freeze" | "revive" };

/** What a server shows in new handshakes of TLS: one to believe, one that is too old, one of somebody else. */
export type ShownCertificate = "good" | "expired" | "stranger";

/**
 * What can befall the way between two nodes, or between one and everybody else. `heal` ends it; `reset` ends the
 * connections there, and new ones may be made.
 */
export type WayFault = NetworkFault | { readonly kind: "heal" } | { readonly kind: "reset" };

/** One node or two: servers, phones, or `dns`, which is cut off from one of them only. */
export type Ends = readonly [string] | readonly [string, string];

/** What can befall the resolver. `lie`: every address asked for is that of a server, or a literal one. */
export type DnsFault =
  | { readonly kind: "silent" | "servfail" | "heal" }
  | { readonly kind: "lie"; readonly address: string }
  | { readonly kind: "zone"; readonly text: string };

export type PhoneCommand =
  | { readonly kind: "call"; readonly to: string }
  | { readonly kind: "hangup" | "hold" | "resume" };

/** What may also be done to a stage by hand, while it plays. */
export type Deed =
  | { readonly do: "fault"; readonly server: string; readonly fault: ServerFault }
  | { readonly do: "fate"; readonly phone: string; readonly fate: Fate }
  | { readonly do: "way"; readonly ends: Ends; readonly fault: WayFault }
  | { readonly do: "dns"; readonly fault: DnsFault }
  | { readonly do: "phone"; readonly phone: string; readonly command: PhoneCommand };

export type Action =
  | Deed
  | { readonly do: "start-server" | "start-phone" | "stop-phone"; readonly name: string }
  | { readonly do: "restart"; readonly server: string; readonly downMs: number }
  | { readonly do: "restart-phone"; readonly phone: string; readonly downMs: number }
  | { readonly do: "wait"; readonly ms: number }
  | { readonly do: "until"; readonly seen: Sought; readonly withinMs: number };

export interface Step {
  readonly line: number;
  /** As written, for people. */
  readonly text: string;
  /** Wait until so long after a named moment first. */
  readonly at: { readonly moment: string; readonly ms: number } | undefined;
  readonly action: Action;
  /** Names the moment when it was done, or for `until` when the thing sought happened. */
  readonly mark: string | undefined;
}

/** A field of an event and what it must be; a value may name a place instead of its address. */
export interface FieldTest {
  readonly field: string;
  readonly operator: "=" | "!=" | ">=" | "<=";
  readonly value: string;
}

export interface EventPattern {
  readonly kind: "event";
  readonly text: string;
  readonly event: string;
  readonly tests: readonly FieldTest[];
  /** The node whose event it is; undefined: anyone's. */
  readonly by: string | undefined;
}

export interface MessagePattern {
  readonly kind: "message";
  readonly text: string;
  readonly method: string;
  /** Of a response; 0: the request itself. */
  readonly status: number;
  readonly from: string | undefined;
  readonly to: string | undefined;
  /** False: retransmissions do not count. */
  readonly resends: boolean;
}

export type Sought = EventPattern | MessagePattern;

/** How often and when it must be seen; milliseconds after `since`. */
export type Demand =
  | {
      readonly kind: "at";
      readonly instants: readonly number[];
      readonly giveMs: number;
      /** Nothing more after those. */
      readonly only: boolean;
    }
  | { readonly kind: "between"; readonly fromMs: number; readonly toMs: number }
  | { readonly kind: "never" }
  | {
      readonly kind: "every";
      readonly periodMs: number;
      readonly giveMs: number;
      /** Periods that must be there at least. */
      readonly least: number;
    }
  | { readonly kind: "count"; readonly least: number; readonly most: number };

export interface Expectation {
  readonly line: number;
  readonly sought: Sought;
  /** The moment that times are counted from. */
  readonly since: string;
  /** The moment after which nothing counts any more; undefined: the end. */
  readonly until: string | undefined;
  readonly demand: Demand;
  /** Names the moment of the first match. */
  readonly mark: string | undefined;
  /** Under which words its times are told; undefined: not told. */
  readonly figure: string | undefined;
}

export interface Sequence {
  readonly line: number;
  readonly node: string;
  readonly events: readonly EventPattern[];
  /** Kinds of events that this sequence does not tell: those whose number is left to chance. */
  readonly leavingOut: readonly string[];
}

/** The events that a sequence is made of: decisions that do not depend on who is a millisecond faster. */
export const SEQUENCE_EVENTS: readonly string[] = [
  "registration.accepted",
  "registration.failed",
  "registration.removed",
  "request.failed-over",
  "server.fell-back",
  "server.failed-back",
  "call.started",
  "call.answered",
  "call.ended",
  "subscription.moved",
];
