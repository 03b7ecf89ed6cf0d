/** Traps of one server or outbound proxy. */
import type { ServerPolicy } from "../redundancy/policy.ts";
import type { LintPad } from "./lint-pad.ts";
import { isLiteral } from "./value-form.ts";

const LONG_EXPIRES_SECONDS = 86_400;

/** `at` is where the server stands in the policy: `servers.1`, `proxies.1`. */
export function lintServer(pad: LintPad, server: ServerPolicy, at: string): void {
  for (const check of CHECKS) check(pad, server, at);
}

type Check = (pad: LintPad, server: ServerPolicy, at: string) => void;

/** C3: by time it is never; the secondary must fail first. */
const neverBack: Check = (pad, { address, failbackMode, failbackSeconds }, at) => {
  if (failbackMode !== "duration" || failbackSeconds > 0 || isLiteral(address)) return;
  const wrong = "with 0 the phone goes back only when the server it moved to fails as well";
  const remedy = pad.write(`${at}.failbackSeconds`, 300) ?? "write 300";
  pad.warn([`${at}.failbackSeconds`], wrong, remedy);
};

/** Calls leave by the primary while the registration is at the secondary until its renewal. */
const dividedReturn: Check = (pad, server, at) => {
  const { address, failbackMode, registerOnFailover, expiresSeconds } = server;
  if (failbackMode !== "newRequests" || !registerOnFailover || isLiteral(address)) return;
  const wrong = `new requests go back at once and the registration only when renewed, up to ${expiresSeconds} s later`;
  const remedy = pad.write(`${at}.failbackMode`, "registration");
  pad.warn([`${at}.registerOnFailover`], wrong, `${remedy}`);
};

/** C40: faithful to the manuals, and surprising. */
const heldCallEnds: Check = (pad, server, at) => {
  const { registerOnFailover, dropRegistrationOnFailover, onlySignalWithRegistered } = server;
  if (!registerOnFailover || !dropRegistrationOnFailover || !onlySignalWithRegistered) return;
  const wrong = "after a failover, hold or resume ends a call that was set up before it";
  const fields = [`${at}.onlySignalWithRegistered`, `${at}.dropRegistrationOnFailover`];
  pad.warn(
    fields,
    wrong,
    `${pad.write(`${at}.onlySignalWithRegistered`, false)} to keep such calls`,
  );
};

/** NAPTR and SRV are asked only without a port. */
const naptrUnasked: Check = (pad, { address, port, transport }, at) => {
  const origin = pad.origin(`${at}.transport`);
  if (transport !== "naptr" || port === 0 || isLiteral(address) || origin === undefined) return;
  const wrong = `with port ${port} neither NAPTR nor SRV is asked and UDP is used`;
  pad.warnAt(origin, wrong, pad.write(`${at}.port`, 0) ?? "write port 0");
};

const addressInCertificate: Check = (pad, { address, transport }, at) => {
  if (transport !== "tls" || !isLiteral(address)) return;
  const wrong = "over TLS the certificate must then name this very address, which few do";
  pad.warn([`${at}.address`], wrong, "write the name that the certificate has");
};

const longLifetime: Check = (pad, { expiresSeconds }, at) => {
  if (expiresSeconds <= LONG_EXPIRES_SECONDS) return;
  const wrong = `a binding may outlive its phone or server by ${expiresSeconds} s`;
  const remedy = pad.write(`${at}.expiresSeconds`, 3600) ?? "write 3600";
  pad.warn([`${at}.expiresSeconds`], wrong, remedy);
};

const overlapBeyondLifetime: Check = (pad, { overlapSeconds, expiresSeconds }, at) => {
  if (overlapSeconds === "half" || overlapSeconds < expiresSeconds) return;
  const wrong = `it is not below the lifetime of ${expiresSeconds} s, which is renewed at half`;
  pad.warn([`${at}.overlapSeconds`, `${at}.expiresSeconds`], wrong, "write less than the lifetime");
};

const CHECKS: readonly Check[] = [
  neverBack,
  dividedReturn,
  heldCallEnds,
  naptrUnasked,
  addressInCertificate,
  longLifetime,
  overlapBeyondLifetime,
];
