/** A process of the lab as the stage handles it, whoever wrote its program. */
import type { Fate } from "../scenario/scenario.ts";

export interface Member {
  readonly name: string;
  readonly running: boolean;
  readonly frozen: boolean;
  /** What it last said, to explain its end. */
  readonly lastWords: string;
  freeze(): void;
  thaw(): void;
  /** At once, as a crash would. */
  kill(): Promise<void>;
  /** In order, and by force if that takes longer than `graceMs`. */
  stop(graceMs: number): Promise<void>;
}

/** False: it is to come back, and is not there any more. */
export async function befall(
  member: Member | undefined,
  { kind }: Fate,
  graceMs: number,
): Promise<boolean> {
  if (kind === "kill") await member?.kill();
  else if (kind === "stop") await member?.stop(graceMs);
  else if (kind === "freeze") member?.freeze();
  else if (member?.running === true) member.thaw();
  else return false;
  return true;
}

/** Told of the end; `asked` if somebody here wanted it. */
export interface MemberUser {
  ended(member: Member, asked: boolean, why: string): void;
}
