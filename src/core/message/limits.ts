/** Every bound on what a peer can make the message layer hold or scan, in one place. */

/** Bytes of one message, start line to end of body: the most a UDP datagram can carry. */
export const MAX_MESSAGE_BYTES = 65_535;

/** Bytes of start line and headers that a stream may send before the empty line. */
export const MAX_HEAD_BYTES = 32_768;

/** Pieces in which a message that is not whole is kept. */
export const MAX_PARTS = 64;

/** Bytes of one header, folded lines together. */
export const MAX_LINE_BYTES = 8_192;

/** Header lines of one message. */
export const MAX_HEADERS = 200;

/** Bytes of a Request-URI; a longer one is answered 414. */
export const MAX_URI_BYTES = 4_096;

/** Values of one list header that are looked at; a longer list is malformed. */
export const MAX_LIST_VALUES = 256;
