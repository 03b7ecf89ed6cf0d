/** Building policy objects from settings: each field from the most particular setting, else from the default. */
import type { ServerPolicy } from "../redundancy/policy.ts";
import { SERVER_DEFAULTS } from "../redundancy/policy-defaults.ts";
import type { Origin } from "./configuration.ts";
import type { Setting, Settings } from "./settings.ts";
import { HOST, isLiteral, parseValue, type Value } from "./value-form.ts";

/**
 * A copy of `defaults` in which each field that is set under one of `prefixes` (most particular first) has the set
 * value; `path` is where the object stands in the policy, for the origins. The key tables pair each field with a
 * form of the field's type (a test holds them to it).
 */
export function section<T extends object>(
  settings: Settings,
  defaults: T,
  prefixes: readonly string[],
  path: string,
): T {
  const filled: Record<string, unknown> = Object.fromEntries(Object.entries(defaults));
  for (const field of Object.keys(defaults)) {
    const slots = prefixes.map((prefix) => `${prefix}.${field}`);
    const setting = settings.take(slots, `${path}.${field}`);
    if (setting) filled[field] = setting.value;
  }
  return filled as T;
}

/** The slots where a field of an account may be set: for that account, then for all. */
export function forAccount(account: number, rest: string): string[] {
  return [`account.${account}.${rest}`, `account.*.${rest}`];
}

/** The prefixes where a server (`servers`) or a proxy (`proxies`) of an account may be described. */
export function serverPrefixes(
  account: number,
  list: "servers" | "proxies",
  number: number,
): string[] {
  return [`account.${account}`, "account.*"].flatMap((of) => [
    `${of}.redundancy.${list}.${number}`,
    `${of}.redundancy.${list}.*`,
  ]);
}

/** Where failback is: at the server, or at a name among the proxies that take it over from a literal address. */
export function failbackAddress(address: string, heirs: readonly (Setting | undefined)[]): string {
  if (!isLiteral(address)) return address;
  const heir = heirs.find((proxy) => proxy !== undefined && !isLiteral(String(proxy.value)));
  return heir === undefined ? address : String(heir.value);
}

/** A value that a proxy takes from a server was decided by the line that sets it there; `own` are never taken over. */
export function inheritOrigins(
  { origins }: Settings,
  into: string,
  from: string,
  own: readonly (keyof ServerPolicy)[],
): void {
  const taken = Object.keys(SERVER_DEFAULTS.native).filter(
    (field) => !own.some((one) => one === field),
  );
  for (const field of taken) {
    const origin = origins.get(`${from}.${field}`);
    if (origin && !origins.has(`${into}.${field}`)) origins.set(`${into}.${field}`, origin);
  }
}

/** The numbers of the accounts that any setting speaks of. */
export function accountNumbers(settings: Settings): number[] {
  const numbers = new Set<number>();
  for (const slot of settings.slots()) {
    const match = /^account\.(\d+)\./.exec(slot);
    if (match) numbers.add(Number(match[1]));
  }
  return [...numbers].sort((a, b) => a - b);
}

/** `2001@pbx.example.com` as templates of both families write it; what is no domain is told and left out. */
export function userAndDomain(
  settings: Settings,
  origin: Origin | undefined,
  text: string,
): { readonly user: string; readonly domain: string | undefined } {
  const at = text.indexOf("@");
  if (at === -1) return { user: text, domain: undefined };
  const user = text.slice(0, at);
  const { value, complaint } = parseValue(HOST, text.slice(at + 1));
  if (origin && complaint)
    settings.error(origin, complaint.code, complaint.wrong, complaint.remedy);
  if (origin && user === "") {
    settings.error(origin, "no-user", "there is no user before the @", "write USER@DOMAIN");
  }
  return { user, domain: value === undefined ? undefined : String(value) };
}

/** The key that stands beside `origin`'s with another last part, for remedies. */
export function sibling(origin: Origin, leaf: string): string {
  return origin.key.slice(0, origin.key.lastIndexOf(".") + 1) + leaf;
}

/** The value of the setting if there is one of this type. */
export function settingValue<T extends Value>(setting: Setting | undefined, otherwise: T): T {
  return setting === undefined ? otherwise : (setting.value as T);
}

/** Why a setting that no policy took has no effect. */
export function unusedReason(slot: string): string {
  const account = /^account\.(\d+)\./.exec(slot)?.[1];
  if (/^(line|memory)key\./.test(slot)) return "the key is no BLF key of an account here";
  const list = /\.(servers|proxies)\.(\d+)\./.exec(slot);
  if (list?.[1] === "servers") return `server ${list[2]} has no address`;
  if (list?.[1] === "proxies") return `outbound proxy ${list[2]} is off or has no address`;
  return account === undefined ? "no account uses it" : `account ${account} does not use it`;
}
