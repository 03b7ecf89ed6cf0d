/** Every bound on what peers can make a server hold, but for bindings of one address-of-record (RegistrarLimits). */

/** Nonces in use that are remembered; the oldest is forgotten first, and challenged anew. */
export const MAX_NONCES = 100_000;

/** Users whose digest secret is kept computed, for each algorithm; when they are more, all are computed anew. */
export const MAX_SECRETS = 100_000;

/** Addresses-of-record whose record this node remembers as it wrote it; others are read first. */
export const MAX_RECORDS = 100_000;

/** User agents of which registrations share one text; when they are more, sharing begins anew. */
export const MAX_SHARED_TEXTS = 256;

/** Of the extensions that a 420 names: a stranger is told no more than fits, so that he gets no long answer. */
export const MAX_UNSUPPORTED_BYTES = 128;

/** Phones that one request is forked to: the first ones. */
export const MAX_CALLEES = 60;

/** Subscriptions of this process; a further one is answered 403. */
export const MAX_SUBSCRIPTIONS = 50_000;

/** The same to one user's state in one package. */
export const MAX_WATCHERS = 100;

/** Calls that are remembered for their watchers; the oldest is forgotten first. */
export const MAX_CALLS = 20_000;

/** … and for how long at most: nobody may have told us of their end, milliseconds. */
export const LONGEST_CALL_MS = 14_400_000;

/** Changes of message counts that the nodes of a system find in the store: who has missed more looks at all counts. */
export const MAX_MESSAGE_CHANGES = 256;

/** Presence documents that one user's devices publish at a time; a further one replaces that which ends first. */
export const MAX_PUBLICATIONS = 8;

/** Appointments of those who were refused in an overload; beyond, who resends may get a second one. */
export const MAX_APPOINTMENTS = 50_000;

/** Clients that share what can be done by rate (RFC 7415), as far as they are counted. */
export const MAX_RATE_CLIENTS = 1_000;
