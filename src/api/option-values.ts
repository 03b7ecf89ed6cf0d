/** Whether the value of an option can be: words and bounds are those that our own dialect has for files. */
import { isIP } from "node:net";
import { isName } from "../core/locate/address.ts";
import { NATIVE_KEYS } from "../core/provisioning/native-keys.ts";
import { describeForm, parseValue, type ValueForm } from "../core/provisioning/value-form.ts";
import { readServers } from "../worlds/node/resolver-servers.ts";

const FORMS = new Map(NATIVE_KEYS.rows.map(({ decides, form }) => [decides, form]));

/**
 * What to give instead of a value; undefined: it can be.
 * @param field the policy field as the rows name it, `account.X.redundancy.registration`.
 * @param standard what holds if it is left out.
 */
export function wanted(field: string, value: unknown, standard: unknown): string | undefined {
  if (typeof value === "number" && !(value >= 0 && value < Number.POSITIVE_INFINITY)) {
    return instance(standard);
  }
  const form = FORMS.get(field);
  if (form !== undefined && field !== BACKOFF) return wantedByForm(form, value, standard);
  const alike =
    typeof value === typeof standard && Array.isArray(value) === Array.isArray(standard);
  return alike && (field !== BACKOFF || isBackoff(value)) ? undefined : instance(standard);
}

/** An object here, and a time in files. */
const BACKOFF = "account.X.redundancy.backoff";

function isBackoff(value: unknown): boolean {
  const { kind, intervalMs, baseMs, maxMs } = value as Readonly<Record<string, unknown>>;
  const times =
    kind === "fixed" ? [intervalMs] : kind === "rfc5626" ? [baseMs, maxMs] : [undefined];
  return times.every((time) => typeof time === "number" && time > 0 && Number.isFinite(time));
}

function wantedByForm(form: ValueForm, value: unknown, standard: unknown): string | undefined {
  switch (form.kind) {
    case "choice":
    case "duration": {
      const words = Object.values(form.kind === "choice" ? form.choices : form.words);
      if (words.includes(value as string) || (form.kind === "duration" && isNumber(value))) return;
      const told = [...new Set(words)].map((word) => JSON.stringify(word)).join(", ");
      return form.kind === "choice" ? `one of ${told}` : instance(standard ?? 60);
    }
    case "number": {
      const fits = isNumber(value) && value >= form.least && value <= form.most;
      if (fits && (!form.whole || Number.isInteger(value))) return;
      return `${form.whole ? "a whole number" : "a number"}, ${form.least} to ${form.most}`;
    }
    case "numbers":
    case "users": {
      const kind = form.kind === "users" ? "string" : "number";
      const right = (item: unknown): boolean =>
        typeof item === kind && parseValue(form, String(item)).complaint === undefined;
      if (Array.isArray(value) && value.every(right)) return;
      return form.kind === "users"
        ? 'a list of users, ["2001", "2002"]'
        : "a list of numbers, [480]";
    }
    case "pattern":
      return typeof value === "string" && new RegExp(form.pattern).test(value)
        ? undefined
        : describeForm(form);
    default:
      return typeof value === "string" ? undefined : "text";
  }
}

function isNumber(value: unknown): value is number {
  return typeof value === "number";
}

function instance(standard: unknown): string {
  return `for instance ${JSON.stringify(standard)}`;
}

/** A value that was given, as it may stand in a message. */
export function shown(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

/** Those of the resolvers given that are none. */
export function wrongResolvers(given: unknown): unknown[] {
  return [given]
    .flat()
    .flatMap((text) => (typeof text === "string" ? readServers([text]).wrong : [text]));
}

/** An address or a name. */
export function isHost(text: unknown): text is string {
  return typeof text === "string" && (isIP(text) !== 0 || isName(text));
}
