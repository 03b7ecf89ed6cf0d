/** The PUBLISHes of one publication (RFC 3903 §4): those that begin, change, refresh and remove it. */
import { PIDF_TYPE } from "../dialog/subscription-presence.ts";
import type { Request } from "../message/message.ts";
import type { AttemptPlace } from "../redundancy/request.ts";
import type { SubscriptionEnvironment } from "./subscription-environment.ts";

export interface Publish {
  readonly callId: string;
  readonly localTag: string;
  /** Whose domain it speaks of, 1-based. */
  readonly server: number;
  /** 0 removes it. */
  readonly seconds: number;
  readonly ifMatch: string | undefined;
  readonly body: string;
}

export function composePublish(
  environment: SubscriptionEnvironment,
  { body, callId, ifMatch, localTag, seconds, server }: Publish,
  attempt: AttemptPlace,
  cseq: number,
): Request {
  const { composer } = environment;
  const policy = environment.server(server);
  const self = composer.nameAddr(policy);
  const request = composer.request(
    {
      method: "PUBLISH",
      uri: composer.self(policy),
      from: `${self};tag=${localTag}`,
      to: self,
      callId,
      cseq,
    },
    attempt,
  );
  request.headers.add("event", "presence").add("expires", String(seconds));
  if (ifMatch !== undefined) request.headers.add("sip-if-match", ifMatch);
  if (body !== "") request.headers.add("content-type", PIDF_TYPE);
  request.body = body;
  return request;
}
