/** Which value of which file decided: what a decision is explained with. */
import type { PhoneConfig } from "../core/phone/phone-config.ts";
import type { PhoneConfiguration } from "../core/provisioning/configuration.ts";

/** Names the policy value that decided, and where it was read. */
export function ruleTeller({ origins }: Pick<PhoneConfiguration, "origins">): PhoneConfig["rule"] {
  return (account, path, value) => {
    const origin = origins.get(`account.${account}.redundancy.${path}`);
    const where = origin === undefined ? "default" : `${origin.file}:${origin.line}`;
    return `${path.slice(path.lastIndexOf(".") + 1)}=${String(value)} (${where})`;
  };
}
