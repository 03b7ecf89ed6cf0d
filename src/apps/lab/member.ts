/** A process of the lab as the stage handles it, whoever wrote its program. */
export interface Member {
  readonly name: string;
  readonly running: boolean;
  /** What it last said, to explain its end. */
  readonly lastWords: string;
  freeze(): void;
  thaw(): void;
  /** At once, as a crash would. */
  kill(): Promise<void>;
  /** In order, and by force if that takes longer than `graceMs`. */
  stop(graceMs: number): Promise<void>;
}

/** Told of the end; `asked` if somebody here wanted it. */
export interface MemberUser {
  ended(member: Member, asked: boolean, why: string): void;
}
