/** Traps of one server or outbound proxy. */
import type { ServerPolicy } from "../redundancy/policy.ts";
import type { LintPad } from "./lint-pad.ts";
import { isLiteral } from "./value-form.ts";

const LONG_EXPIRES_SECONDS = 86_400;
const PLAIN: ReadonlySet<ServerPolicy["transport"]> = new Set(["udp", "tcp", "tcp-preferred"]);

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
  pad.warn([`${at}.failbackSeconds`], "never-back", wrong, remedy);
};

/** Calls leave by the primary while the registration is at the secondary until its renewal. */
const dividedReturn: Check = (pad, server, at) => {
  const { address, failbackMode, registerOnFailover, expiresSeconds } = server;
  if (failbackMode !== "newRequests" || !registerOnFailover || isLiteral(address)) return;
  const wrong = `new requests go back at once and the registration only when renewed, up to ${expiresSeconds} s later`;
  const remedy = pad.write(`${at}.failbackMode`, "registration");
  pad.warn([`${at}.registerOnFailover`], "divided-return", wrong, `${remedy}`);
};

/** C40: faithful to the manuals, and surprising. */
const heldCallEnds: Check = (pad, server, at) => {
  const { registerOnFailover, dropRegistrationOnFailover, onlySignalWithRegistered } = server;
  if (!registerOnFailover || !dropRegistrationOnFailover || !onlySignalWithRegistered) return;
  const wrong = "after a failover, hold or resume ends a call that was set up before it";
  const fields = [`${at}.onlySignalWithRegistered`, `${at}.dropRegistrationOnFailover`] as const;
  // Yealink's one key is the whole chain, and whoever writes it asks for no more than it says.
  if (pad.origin(fields[1]) === undefined) return;
  const remedy = `${pad.write(`${at}.onlySignalWithRegistered`, false)} to keep such calls`;
  // Who wrote it wants it, most likely; who did not may not know that it is on.
  if (pad.origin(fields[0])) pad.note(fields, "held-call-ends", wrong, remedy);
  else pad.warn(fields, "held-call-ends", wrong, remedy);
};

/** NAPTR and SRV are asked only without a port. A proxy that takes its transport from a server is not told of there. */
const naptrUnasked: Check = (pad, { address, port, transport }, at) => {
  const origin = pad.origin(`${at}.transport`);
  if (transport !== "naptr" || port === 0 || isLiteral(address) || origin === undefined) return;
  const wrong = `with port ${port} neither NAPTR nor SRV is asked and UDP is used`;
  const remedy = pad.write(`${at}.port`, 0) ?? "write port 0";
  const taken = at.startsWith("proxies.") && pad.isOfServer(origin, "transport");
  if (taken) pad.warn([`${at}.port`, `${at}.address`], "naptr-with-port", wrong, remedy);
  else pad.warnAt(origin, "naptr-with-port", wrong, remedy);
};

/** TLS at a port for plain SIP, or the other way: nothing answers, as if the server were dead (C12). */
const portForTransport: Check = (pad, { port, transport, throughProxy }, at) => {
  const tls = transport === "tls";
  if (throughProxy || (transport !== "tls" && !PLAIN.has(transport))) return;
  // With the transport that is missing the port may be right.
  if (port !== (tls ? 5060 : 5061) || pad.isTold("secondary-transport", `${at}.address`)) return;
  const wrong = `port ${port} is for ${tls ? "plain SIP" : "TLS"} and the transport is ${tls ? "TLS" : transport}`;
  const remedy = pad.write(`${at}.port`, tls ? 5061 : 5060) ?? "write another port";
  pad.warn([`${at}.port`, `${at}.transport`, `${at}.address`], "port-for-transport", wrong, remedy);
};

const addressInCertificate: Check = (pad, { address, transport }, at) => {
  if (transport !== "tls" || !isLiteral(address)) return;
  const wrong = "over TLS the certificate must then name this very address, which few do";
  pad.warn([`${at}.address`], "tls-to-address", wrong, "write the name that the certificate has");
};

/** `_sip._udp.pbx.example.com` is where SRV records are asked for, and nobody's address. */
const nameOfRecords: Check = (pad, { address }, at) => {
  const domain = /^_sips?\._(?:udp|tcp|tls|sctp)\.(.+)$/.exec(address)?.[1];
  if (domain === undefined) return;
  const wrong = `${address} is the name of SRV records and has no address itself`;
  const remedy = pad.write(`${at}.address`, domain);
  pad.warn([`${at}.address`], "srv-name", wrong, `${remedy}, with port 0 to have them asked for`);
};

const longLifetime: Check = (pad, { expiresSeconds }, at) => {
  if (expiresSeconds <= LONG_EXPIRES_SECONDS) return;
  const wrong = `a binding may outlive its phone or server by ${expiresSeconds} s`;
  const remedy = pad.write(`${at}.expiresSeconds`, 3600) ?? "write 3600";
  pad.warn([`${at}.expiresSeconds`], "long-lifetime", wrong, remedy);
};

const overlapBeyondLifetime: Check = (pad, { overlapSeconds, expiresSeconds }, at) => {
  if (overlapSeconds === "half" || overlapSeconds < expiresSeconds) return;
  // The family's own lead is nobody's line: then the lifetime's is told.
  const wrong = `the renewal lead of ${overlapSeconds} s is not below the lifetime of ${expiresSeconds} s, which is renewed at half`;
  const fields = [`${at}.overlapSeconds`, `${at}.expiresSeconds`];
  const remedy = pad.write(fields[0]!, Math.floor(expiresSeconds / 2)) ?? "write less";
  pad.warn(fields, "overlap-beyond-lifetime", wrong, remedy);
};

const CHECKS: readonly Check[] = [
  neverBack,
  dividedReturn,
  heldCallEnds,
  naptrUnasked,
  portForTransport,
  addressInCertificate,
  nameOfRecords,
  longLifetime,
  overlapBeyondLifetime,
];
