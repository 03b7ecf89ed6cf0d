/** The SUBSCRIBEs of one subscription (RFC 6665 §4.1.2): the one that begins it, those that renew it, and the last. */
import type { SubscriptionUsage } from "../dialog/subscription.ts";
import type { Request } from "../message/message.ts";
import type { AttemptPlace } from "../redundancy/request.ts";
import { ALLOW } from "./call-extensions.ts";
import type { EventPackage, SubscriptionEnvironment } from "./subscription-environment.ts";

/** @param seconds lifetime asked for; 0 ends the subscription. */
export function composeSubscribe(
  environment: SubscriptionEnvironment,
  usage: SubscriptionUsage,
  { name, accept, user }: EventPackage,
  seconds: number,
  attempt: AttemptPlace,
  cseq: number,
): Request {
  const { composer } = environment;
  const { peer } = attempt.flow;
  const { dialog } = usage;
  usage.sent(cseq);
  const request =
    dialog === undefined
      ? beginning(environment, usage, user, attempt, cseq)
      : dialog.request("SUBSCRIBE", cseq, composer.via(peer));
  request.headers
    .add("contact", composer.contact(peer))
    .add("event", name)
    .add("accept", accept)
    .add("allow", ALLOW)
    .add("expires", String(seconds));
  return request;
}

/** To the address-of-record whose state is asked for: our own, unless another user is watched. */
function beginning(
  environment: SubscriptionEnvironment,
  usage: SubscriptionUsage,
  user: string | undefined,
  attempt: AttemptPlace,
  cseq: number,
): Request {
  const { composer } = environment;
  const server = environment.server(attempt.server);
  const self = composer.nameAddr(server);
  const other = user === undefined ? undefined : `sip:${user}@${composer.domain(server)}`;
  return composer.request(
    {
      method: "SUBSCRIBE",
      uri: other ?? composer.self(server),
      from: `${self};tag=${usage.localTag}`,
      to: other === undefined ? self : `<${other}>`,
      callId: usage.callId,
      cseq,
    },
    attempt,
  );
}
