/** What peers can make a phone hold or do again, each with its bound. */

/** Answers of other forks that are acknowledged and ended; of more, repetitions go unheard. */
export const MAX_FORKS = 16;
/** Calls at one time, so that a flood of INVITEs cannot take all memory; more are refused with 486. */
export const MAX_CALLS = 64;
/** INVITEs remembered. */
export const MAX_KNOWN_INVITES = 64;
/** CSeq numbers that the dialog of a forgotten INVITE is taken to have used up. */
export const MAX_FORGOTTEN_NUMBERS = 64;
/** Glares in a row before the wish is given up. */
export const MAX_GLARES = 8;
/** Forks that are told apart; more ring unheard. */
export const MAX_EARLY_FORKS = 16;
/** Addresses tried after the one that was dialled, however many answers name more. */
export const MAX_REDIRECTIONS = 5;
/** Senders at our port that were not agreed on; more are shut out. */
export const MAX_STRANGERS = 4;
/** First hops that have refused, and targets with terms, at most so many: an account has few. */
export const MAX_TARGETS_WITH_TERMS = 64;
/** Terms of registrations kept to be shared by all phones of a machine. */
export const MAX_SHARED_TERMS = 16;
/** Targets, and servers with their targets, kept to be shared. */
export const MAX_SHARED_TARGETS = 1024;

/** Targets known to answer OPTIONS; of further ones silence goes on saying nothing. */
export const MAX_ANSWERING_TARGETS = 1024;
/** Times a 423 is met by a longer lifetime before it is taken for a refusal. */
export const MAX_TOO_BRIEF = 2;
/** Calls of a registrar to register again (RFC 3680 §5.1) obeyed at once within the retry interval of subscriptions. */
export const MAX_RECALLS = 3;

/** Dialogs of one subscription left where nobody answered, to be ended on the return. */
export const MAX_LEFT_DIALOGS = 4;
/** Entity-tags of one publication, that in use and those left where nobody answered. */
export const MAX_LEFT_PUBLICATIONS = 4;
/** Colleagues that one account watches, in their calls and in their presence; of more, the first of each. */
export const MAX_COLLEAGUES = 64;
