/** What a resolver and those who ask it can make grow, each with its bound. */

/** Different questions in flight; beyond it the answer is silence. */
export const MAX_QUERIES = 512;
/** CNAMEs followed inside one message. */
export const MAX_CNAMES = 16;
/** CNAMEs that lead out of one message into another. */
export const MAX_ALIASES = 8;
