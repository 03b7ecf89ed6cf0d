/** The body `application/simple-message-summary`: is there a message waiting, and how many (RFC 3842 §5.2). */

export const SUMMARY_TYPE = "application/simple-message-summary";

export interface MessageSummary {
  readonly waiting: boolean;
  /** The account the messages are for, a URI; undefined: not said. */
  readonly account: string | undefined;
  /** Voice messages; undefined: not counted. */
  readonly voice: MessageCount | undefined;
}

export interface MessageCount {
  readonly new: number;
  readonly old: number;
  readonly urgentNew: number;
  readonly urgentOld: number;
}

/** Greater counts are this one: no lamp tells more. */
const MOST_MESSAGES = 999_999;

/** Undefined if the body does not begin with the status line, or a count is malformed. */
export function parseMessageSummary(body: string): MessageSummary | undefined {
  const lines = body.split(/\r?\n/);
  const status = /^Messages-Waiting[ \t]*:[ \t]*(yes|no)[ \t]*$/i.exec(lines[0] ?? "");
  if (status === null) return undefined;
  let account: string | undefined;
  let voice: MessageCount | undefined;
  for (const line of lines.slice(1)) {
    // After an empty line come headers of single messages.
    if (line === "") break;
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(0, colon)).trim().toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (name === "message-account") account = value;
    if (name !== "voice-message") continue;
    voice = countOf(value);
    if (voice === undefined) return undefined;
  }
  return { waiting: status[1]?.toLowerCase() === "yes", account, voice };
}

/** `2/8 (0/2)` */
function countOf(text: string): MessageCount | undefined {
  const match = /^(\d+)\s*\/\s*(\d+)(?:\s*\(\s*(\d+)\s*\/\s*(\d+)\s*\))?$/.exec(text);
  if (match === null) return undefined;
  const number = (group: number): number => Math.min(MOST_MESSAGES, Number(match[group] ?? "0"));
  return { new: number(1), old: number(2), urgentNew: number(3), urgentOld: number(4) };
}
