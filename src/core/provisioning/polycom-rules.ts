/** Which failOver parameters need which others: reRegisterOn → failRegistrationOn → onlySignalWithRegistered. */
import type { ServerPolicy } from "../redundancy/policy.ts";
import { settingValue, sibling } from "./assemble.ts";
import type { Setting, Settings } from "./settings.ts";
import { isLiteral } from "./value-form.ts";

type Inherited = Pick<
  ServerPolicy,
  "failbackMode" | "registerOnFailover" | "dropRegistrationOnFailover"
>;

/**
 * Tells and withdraws what lacks its condition. Returns what onlySignalWithRegistered is unless set: on by default,
 * and so in force as soon as the other two are.
 */
export function withdrawIdleFailover(
  settings: Settings,
  prefixes: readonly string[],
  address: string,
  inherited: Inherited,
): boolean {
  const setting = (field: keyof ServerPolicy): Setting | undefined =>
    settings.peek(prefixes.map((prefix) => `${prefix}.${field}`));
  withdrawIdleMode(
    settings,
    setting("failbackMode"),
    setting("failbackSeconds"),
    address,
    inherited,
  );
  const register = settingValue(setting("registerOnFailover"), inherited.registerOnFailover);
  const forget = setting("dropRegistrationOnFailover");
  let forgets = settingValue(forget, inherited.dropRegistrationOnFailover);
  if (forget?.value === true && !register) {
    const remedy = `write ${sibling(forget.origin, "reRegisterOn")}="1", or delete this`;
    const wrong = "it has no effect while reRegisterOn is 0";
    settings.withdraw(forget, "condition-missing", wrong, remedy);
    forgets = false;
  }
  const only = setting("onlySignalWithRegistered");
  if (only?.value === true && !(register && forgets)) {
    const missing = register ? "failRegistrationOn" : "reRegisterOn";
    const remedy = `write ${sibling(only.origin, missing)}="1", or delete this`;
    const wrong = `it has no effect while ${missing} is 0`;
    settings.withdraw(only, "condition-missing", wrong, remedy);
  }
  return register && forgets;
}

function withdrawIdleMode(
  settings: Settings,
  mode: Setting | undefined,
  timeout: Setting | undefined,
  address: string,
  inherited: Inherited,
): void {
  if (isLiteral(address)) {
    const wrong = `failback is among the addresses of a name, and ${address} is one address`;
    const remedy = "write a domain name as the address, or delete this";
    for (const idle of [mode, timeout]) {
      if (idle) settings.withdraw(idle, "failback-on-address", wrong, remedy);
    }
  } else if (timeout && settingValue(mode, inherited.failbackMode) !== "duration") {
    const remedy = `write ${sibling(timeout.origin, "mode")}="duration", or delete this`;
    const wrong = "only failBack.mode duration uses it";
    settings.withdraw(timeout, "condition-missing", wrong, remedy);
  }
}
