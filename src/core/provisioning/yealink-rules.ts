/** Which keys of the family need which others: §1.5 of its manuals' redundancy chapters, as warnings. */
import type { ServerPolicy } from "../redundancy/policy.ts";
import { settingValue, sibling } from "./assemble.ts";
import type { Setting, Settings } from "./settings.ts";
import { isLiteral } from "./value-form.ts";

type Inherited = Pick<ServerPolicy, "failbackMode" | "registerOnFailover">;

/**
 * Failback modes need a name, the timeout needs mode 3, only_signal_with_registered needs register_on_enable and a
 * mode that stays, failback_subscribe a mode that stays. What lacks its condition is told and withdrawn.
 */
export function withdrawIdleFailback(
  settings: Settings,
  prefixes: readonly string[],
  address: string,
  inherited: Inherited,
): void {
  const setting = (field: keyof ServerPolicy): Setting | undefined =>
    settings.peek(prefixes.map((prefix) => `${prefix}.${field}`));
  const mode = setting("failbackMode");
  const timeout = setting("failbackSeconds");
  const register = settingValue(setting("registerOnFailover"), inherited.registerOnFailover);
  let stays = settingValue(mode, inherited.failbackMode) !== "newRequests";
  if (isLiteral(address)) {
    const wrong = `failback is among the addresses of a name, and ${address} is one address`;
    const remedy = "write a domain name as the address, or delete the line";
    for (const idle of [mode, timeout]) {
      if (idle) settings.withdraw(idle, "failback-on-address", wrong, remedy);
    }
    stays = false;
  } else if (timeout && settingValue(mode, inherited.failbackMode) !== "duration") {
    const remedy = `write ${sibling(timeout.origin, "failback_mode")} = 3, or delete the line`;
    const wrong = "only failback_mode 3 (duration) uses it";
    settings.withdraw(timeout, "condition-missing", wrong, remedy);
  }
  const only = setting("onlySignalWithRegistered");
  if (only?.value === true && !(register && stays)) {
    const needed = register ? "failback_mode" : "register_on_enable";
    const value = register ? "1, 2 or 3" : "1";
    const wrong = "it needs register_on_enable = 1 and failback_mode 1, 2 or 3";
    const remedy = `write ${sibling(only.origin, needed)} = ${value}, or delete the line`;
    settings.withdraw(only, "condition-missing", wrong, remedy);
  }
  const subscribe = setting("resubscribeOnFailover");
  if (subscribe?.value === true && !stays) {
    const key = subscribe.origin.key.replace("failback_subscribe.enable", "failback_mode");
    const remedy = `write ${key} = 1, 2 or 3, or delete the line`;
    const wrong = "it needs failback_mode 1, 2 or 3";
    settings.withdraw(subscribe, "condition-missing", wrong, remedy);
  }
}
