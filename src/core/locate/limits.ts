/** What a zone, a resolver or a peer's URI can make grow in location, each with its bound. */

/** Targets of one location; a zone that lists more is cut. */
export const MAX_TARGETS = 64;
/** Records used of one answer. */
export const MAX_RECORDS = 64;
/** Non-terminal NAPTR records followed one after another (RFC 3403 §3 leaves loops to the client). */
export const MAX_NAPTR_DEPTH = 5;
/** Questions that one location may ask. */
export const MAX_QUESTIONS = 150;
/** Answers kept by one record cache. */
export const MAX_CACHED_ANSWERS = 2048;

/** Longest belief in a record, whatever its TTL (RFC 8767 §4). */
export const MAX_TTL_SECONDS: number = 7 * 86_400;
/** Longest belief in "no such record": a repaired name must not stay hidden (RFC 2308 §5 allows a bound). */
export const MAX_NEGATIVE_TTL_SECONDS = 900;
/** How long past its TTL an answer may still serve while no resolver answers (RFC 8767 §5). */
export const MAX_STALE_MS: number = 3 * 86_400_000;
/** A stale answer counts as this fresh to whoever uses it (RFC 8767 §4). */
export const STALE_TTL_MS = 30_000;
/** After silence the resolvers are left alone so long, as far as something else can serve (RFC 8767 §5). */
export const SILENCE_MS = 30_000;
/** With something else to serve, a question waits no longer than this (RFC 8767 §5, client response timer). */
export const SHORT_PATIENCE_MS = 1_800;
