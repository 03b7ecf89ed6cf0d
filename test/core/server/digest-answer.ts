/** How a scripted phone answers a digest challenge (RFC 7616). */
import { createHash } from "node:crypto";
import type { Response } from "../../../src/core/message/message.ts";

const DIGEST = {
  MD5: (text: string) => createHash("md5").update(text).digest("hex"),
  "SHA-256": (text: string) => createHash("sha256").update(text).digest("hex"),
};

export interface Answering {
  readonly algorithm?: "MD5" | "SHA-256";
  readonly password?: string;
  readonly user?: string;
  readonly count?: number;
  readonly uri?: string;
  readonly qop?: boolean;
}

/** The Authorization or Proxy-Authorization line that answers a challenge. */
export function answerTo(response: Response, method: string, uri: string, how: Answering): string {
  const { algorithm = "MD5", password = "wonder", user = "alice", count = 1 } = how;
  const proxy = response.status === 407;
  const challenges = response.headers.all(proxy ? "proxy-authenticate" : "www-authenticate");
  const challenge = challenges.find((one) => one.includes(`algorithm=${algorithm}`)) ?? "";
  const nonce = /nonce="([^"]*)"/.exec(challenge)?.[1] ?? "";
  const realm = /realm="([^"]*)"/.exec(challenge)?.[1] ?? "";
  const hash = DIGEST[algorithm];
  const named = how.uri ?? uri;
  const nc = count.toString(16).padStart(8, "0");
  const middle = how.qop === false ? nonce : `${nonce}:${nc}:c0ffee:auth`;
  const digest = hash(
    `${hash(`${user}:${realm}:${password}`)}:${middle}:${hash(`${method}:${named}`)}`,
  );
  const qop = how.qop === false ? "" : `, qop=auth, nc=${nc}, cnonce="c0ffee"`;
  return (
    `${proxy ? "Proxy-" : ""}Authorization: Digest username="${user}", realm="${realm}", ` +
    `nonce="${nonce}", uri="${named}", algorithm=${algorithm}${qop}, response="${digest}"`
  );
}
