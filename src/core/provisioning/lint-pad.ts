/** What a check of one account writes on: it finds the line to blame and spells the remedy in the file's dialect. */

import type { AccountPolicy, ServerPolicy } from "../redundancy/policy.ts";
import type { Dialect } from "../redundancy/policy-defaults.ts";
import type { Origin } from "./configuration.ts";
import type { FindingCode } from "./finding.ts";
import type { KeyIndex } from "./key-table.ts";
import type { Settings } from "./settings.ts";
import { spellValue, type Value } from "./value-form.ts";

export class LintPad {
  readonly dialect: Dialect;
  /** What its SUBSCRIBEs are for, as a person would say it. */
  readonly subscribed: readonly string[];
  /** How many phones of this kind there are; undefined: nobody said. */
  readonly phones: number | undefined;
  readonly #settings: Settings;
  readonly #account: string;
  readonly #servers: readonly ServerPolicy[];
  /** What was told of this account: a proxy that inherits a value is not told of it beside the server. */
  readonly #told = new Set<string>();

  constructor(settings: Settings, account: AccountPolicy, phones: number | undefined) {
    this.dialect = settings.index.table.dialect;
    this.subscribed = [
      ...(account.messageWaiting ? ["message waiting"] : []),
      ...(account.colleagues.length > 0 ? ["the lamps of others"] : []),
      ...(account.presenceOf.length > 0 ? ["the presence of others"] : []),
    ];
    this.phones = phones;
    this.#settings = settings;
    this.#account = `account.${account.index}`;
    this.#servers = account.redundancy.servers;
  }

  /** Blames the first of these policy fields that a file decided, else the address of server 1. */
  warn(fields: readonly string[], code: FindingCode, wrong: string, remedy: string): void {
    const origin = this.#blamed(fields);
    if (origin) this.warnAt(origin, code, wrong, remedy);
  }

  /** As `warn`, of what works as documented and surprises. */
  note(fields: readonly string[], code: FindingCode, wrong: string, remedy: string): void {
    const origin = this.#blamed(fields);
    if (origin && this.#isNew(origin, code)) this.#settings.note(origin, code, wrong, remedy);
  }

  /** A line that has an error is not blamed further, and none twice for one thing. */
  warnAt(origin: Origin, code: FindingCode, wrong: string, remedy: string): void {
    if (this.#isNew(origin, code)) this.#settings.warn(origin, code, wrong, remedy);
  }

  #isNew(origin: Origin, code: FindingCode): boolean {
    const place = `${code} ${origin.file}:${origin.line}:${origin.key}`;
    if (this.#isWrong(origin) || this.#told.has(place)) return false;
    this.#told.add(place);
    return true;
  }

  #blamed(fields: readonly string[]): Origin | undefined {
    return [...fields, "servers.1.address"].map((field) => this.origin(field)).find(Boolean);
  }

  /** What stands for this field was chosen by nobody: its line has an error. */
  isWrong(field: string): boolean {
    const origin = this.origin(field);
    return origin !== undefined && this.#isWrong(origin);
  }

  /** Whether this was found already at the line that decided the field. */
  isTold(code: FindingCode, field: string): boolean {
    const at = this.origin(field);
    return this.#settings.faults.some(
      (fault) => fault.code === code && fault.line === at?.line && fault.file === at.file,
    );
  }

  #isWrong({ file, line, key }: Origin): boolean {
    return this.#settings.faults.some(
      (fault) =>
        fault.severity === "error" &&
        fault.line === line &&
        fault.key === key &&
        fault.file === file,
    );
  }

  /** Where a field of the account's redundancy policy was decided; undefined: by default. */
  origin(field: string): Origin | undefined {
    return this.#settings.origins.get(`${this.#account}.redundancy.${field}`);
  }

  /** Whether the line decided this field of a server, too: a proxy took its own from there. */
  isOfServer(origin: Origin, field: string): boolean {
    const { file, line, key } = origin;
    return this.#servers.some((_, at) => {
      const decided = this.origin(`servers.${at + 1}.${field}`);
      return decided?.file === file && decided.line === line && decided.key === key;
    });
  }

  /** The key of a field of the redundancy policy. */
  key(field: string): string | undefined {
    return this.#rowFor(field)?.key;
  }

  /** The greatest value of a field, in the policy's unit, that its key takes; undefined: there is no such limit. */
  most(field: string): number | undefined {
    const form = this.#rowFor(field)?.row.form;
    return form?.kind === "number" ? form.most * form.times : undefined;
  }

  /** `write KEY = VALUE` as the dialect spells it; undefined if it cannot say it. */
  write(field: string, value: Value): string | undefined {
    const found = this.#rowFor(field);
    if (found === undefined) return undefined;
    const text = spellValue(found.row.form, value);
    switch (this.dialect) {
      case "yealink":
        return `write ${found.key} = ${text}`;
      case "polycom":
        return `write ${found.key}="${text}"`;
      case "native":
        return `write ${found.key}: ${text}`;
    }
  }

  /** Of a global and an own key, the one that the file uses for the same server. */
  #rowFor(field: string): ReturnType<KeyIndex["rowFor"]> {
    // Yealink's back-off is made of three keys, and this is the one of its cap.
    if (field === "backoff.maxMs" && this.dialect === "yealink") {
      const cap = `${this.#account}.reg_failed_retry_max_time`;
      return this.#settings.index.rowFor(`${this.#account}.redundancy.backoff`, cap);
    }
    const address = field.replace(/^((?:servers|proxies)\.\d+)\..*/, "$1.address");
    const like = this.origin(field) ?? this.origin(address);
    return this.#settings.index.rowFor(`${this.#account}.redundancy.${field}`, like?.key);
  }

  /** The lifetimes of the static records that hold for the account. */
  *recordTtls(): Iterable<{ readonly origin: Origin; readonly seconds: number }> {
    for (const slot of this.#settings.slots()) {
      if (!/\.dns\.records\..*\.ttl$/.test(slot)) continue;
      if (!slot.startsWith(`${this.#account}.`) && !slot.startsWith("account.*.")) continue;
      const setting = this.#settings.peek([slot]);
      if (setting) yield { origin: setting.origin, seconds: Number(setting.value) };
    }
  }
}
