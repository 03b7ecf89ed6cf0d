/**
 * Questions a machine may ask, the answers a world may give, and the trace events it may report.
 * Everything asynchronous that is not bytes on a flow is a Question: names, stored bindings, files.
 */

export type RecordType = "NAPTR" | "SRV" | "A" | "AAAA";

/** One resource record; `ttl` in seconds. Domain names are lower case, without the last dot. */
export type ResourceRecord =
  | {
      readonly type: "NAPTR";
      readonly name: string;
      readonly ttl: number;
      readonly order: number;
      readonly preference: number;
      readonly flags: string;
      readonly service: string;
      readonly regexp: string;
      readonly replacement: string;
    }
  | {
      readonly type: "SRV";
      readonly name: string;
      readonly ttl: number;
      readonly priority: number;
      readonly weight: number;
      readonly port: number;
      readonly target: string;
    }
  | {
      readonly type: "A" | "AAAA";
      readonly name: string;
      readonly ttl: number;
      readonly address: string;
    };

/** Ask the DNS for the records of one type at one name (CNAMEs followed by the world). */
export interface DnsQuestion {
  readonly kind: "dns";
  readonly name: string;
  readonly type: RecordType;
  /** Answer `silent` after so many milliseconds at the latest: something else can serve (RFC 8767 §5). */
  readonly withinMs?: number;
}

/**
 * `records`: of the asked type, not empty; `additional`: what came beside them. `none`: the name or type does not
 * exist, believed for `ttl` seconds (RFC 2308). `silent`: no resolver answered, or all refused or failed.
 */
export type DnsAnswer =
  | {
      readonly kind: "records";
      readonly records: readonly ResourceRecord[];
      readonly additional: readonly ResourceRecord[];
    }
  | { readonly kind: "none"; readonly ttl: number }
  | { readonly kind: "silent"; readonly why: string };

/**
 * Read the stored text under a key, with its version. Versions start at 1 and rise with each write; 0 is
 * "nothing there". Keys are namespaced by a prefix (`aor/…`), values are opaque latin1 text.
 */
export interface StoreRead {
  readonly kind: "store.read";
  readonly key: string;
}

/**
 * Compare and set: write (or, with `undefined`, remove) only if the stored version is still `ifVersion`.
 * Answered after the write is as durable as the store promises.
 */
export interface StoreWrite {
  readonly kind: "store.write";
  readonly key: string;
  readonly value: string | undefined;
  /** There is a value, made each time it is read: who keeps the question instead may never need it. */
  readonly late?: true;
  readonly ifVersion: number;
  /** Seconds since the epoch after which the store may forget the entry; the reader still checks. */
  readonly expiresAt: number;
}

/**
 * `unavailable`: the store cannot be reached, and nothing is known; `conflict`: another version is stored.
 */
export type StoreAnswer =
  | { readonly kind: "stored"; readonly value: string | undefined; readonly version: number }
  | { readonly kind: "written"; readonly version: number }
  | { readonly kind: "conflict" }
  | { readonly kind: "unavailable"; readonly why: string };

/** What a machine may ask. */
export type Question = DnsQuestion | StoreRead | StoreWrite;
/** What a world may answer. */
export type Answer = DnsAnswer | StoreAnswer;

/**
 * One decision or happening, flat and stable: `event` is `noun.verb-ed`, the other fields are
 * strings, numbers or booleans. The world adds `at`, `time` and `node`. No secret ever stands here.
 */
export interface TraceEvent {
  readonly event: string;
  readonly [field: string]: string | number | boolean | undefined;
}
