/** The REGISTER itself (RFC 3261 §10.2), with what it asks for beyond a binding (RFC 3327, 5626 §4.2, 5627, 6223). */
import type { Request } from "../message/message.ts";
import type { AttemptPlace } from "../redundancy/request.ts";
import { sameTarget } from "../redundancy/server-health.ts";
import type { ServerRoute } from "../redundancy/server-set.ts";
import type { Flow } from "../transaction/user.ts";
import { regIdOf } from "./registration-answer.ts";
import type { RegistrationHost } from "./registration-host.ts";
import type { RegistrationUpkeep } from "./registration-upkeep.ts";

/**
 * @param seconds lifetime asked for; 0 removes the binding.
 * @param bound the flow that the binding was made over, if it is removed over another.
 */
export function composeRegister(
  host: RegistrationHost,
  route: ServerRoute,
  { callId, fromTag }: RegistrationUpkeep,
  seconds: number,
  attempt: AttemptPlace,
  cseq: number,
  bound: Flow = attempt.flow,
): Request {
  const { composer } = host;
  const self = composer.nameAddr(route.policy);
  const request = composer.request(
    {
      method: "REGISTER",
      uri: `sip:${composer.domain(route.policy)}`,
      from: `${self};tag=${fromTag}`,
      to: self,
      callId,
      cseq,
    },
    attempt,
  );
  const { headers } = request;
  const outbound = host.flowOnly === true || composer.asksOutboundAt(attempt.target);
  const contact = composer.registeredContact(bound.peer);
  headers
    .add("contact", outbound ? `${contact};reg-id=${regIdOf(host, route)}` : contact)
    .add("expires", String(seconds))
    .add("supported", supported(outbound, composer.gruu));
  // Pings cost a server that answers them less than OPTIONS does.
  const keep = outbound || host.policy.registrarProbeMs > 0;
  if (keep) headers.set("via", `${headers.get("via")};keep`);
  return request;
}

/** Whether the removal of what was bound at the one place leaves what was bound at the other. */
export function isApart(
  { composer }: RegistrationHost,
  one: AttemptPlace | undefined,
  other: AttemptPlace,
): boolean {
  if (one === undefined) return false;
  const alike = composer.contactUri(one.flow.peer) === composer.contactUri(other.flow.peer);
  return !alike || !sameTarget(one.target, other.target);
}

function supported(outbound: boolean, gruu: boolean): string {
  return `path${outbound ? ", outbound" : ""}${gruu ? ", gruu" : ""}`;
}
