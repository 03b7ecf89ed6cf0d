/** The orderly end of a phone: it hangs up, unregisters, and is waited for, but not for ever. */
import type { Phone } from "../core/phone/phone.ts";
import type { Driver } from "../worlds/node/driver.ts";

/** Hanging up and unregistering may take so long, milliseconds. */
const PATIENCE_MS = 4000;
/** How often the end is looked for, milliseconds. */
const LOOK_MS = 20;

/** Resolves when nothing of the phone is on its way any more. */
export async function farewell(driver: Driver, phone: Phone): Promise<void> {
  driver.run((now) => phone.stop(now));
  const deadline = performance.now() + PATIENCE_MS;
  while (!phone.atRest && performance.now() < deadline) {
    await new Promise((looked) => setTimeout(looked, LOOK_MS));
  }
}
