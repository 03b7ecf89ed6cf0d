/** Keys of the makers' files with a lamp for a colleague (BLF): which users an account watches, and how. */
import { settingValue } from "./assemble.ts";
import type { Setting, Settings } from "./settings.ts";
import { parseValue, shown, USERS } from "./value-form.ts";
import { LAMP } from "./yealink-keys.ts";

/** @param first the account of keys that leave it to the phone. */
export function yealinkLamps(settings: Settings, account: number, first: number): string[] {
  const keys = new Set<string>();
  for (const slot of settings.slots()) {
    const key = /^((?:line|memory)key\.\d+)\.type$/.exec(slot)?.[1];
    if (key !== undefined) keys.add(key);
  }
  return [...keys].flatMap((key) => {
    const line = settingValue(settings.peek([`${key}.line`]), 0);
    const ours = (line === 0 ? first : line) === account;
    if (!ours || settings.peek([`${key}.type`])?.value !== LAMP) return [];
    const path = `account.${account}.colleagues`;
    for (const leaf of ["line", "type"]) settings.take([`${key}.${leaf}`], path);
    return userOf(settings, settings.take([`${key}.value`], path));
  });
}

export function polycomLamps(settings: Settings, account: number): string[] {
  if (settingValue(settings.peek(["attendant.reg"]), 1) !== account) return [];
  const slots = [...settings.slots()].filter((slot) => slot.startsWith("attendant.resourceList."));
  const path = `account.${account}.colleagues`;
  if (slots.length > 0) settings.take(["attendant.reg"], path);
  return slots.flatMap((slot) => userOf(settings, settings.take([slot], path)));
}

/** `2002`, `2002@pbx.example.com` or `sip:2002@pbx.example.com`; only users of the account's own domain can be watched. */
function userOf(settings: Settings, setting: Setting | undefined): string[] {
  if (setting === undefined) return [];
  const text =
    String(setting.value)
      .replace(/^sips?:/i, "")
      .split("@")[0] ?? "";
  const { value, complaint } = parseValue(USERS, text);
  if (Array.isArray(value) && value.length === 1 && complaint === undefined) return value;
  const wrong = complaint?.wrong ?? `${shown(text)} is not one user`;
  settings.withdraw(setting, "bad-value", wrong, "write a user, or USER@DOMAIN");
  return [];
}
