/** The token that whoever changes something over HTTP shows (RFC 6750 §2.1). */
import { createHash, timingSafeEqual } from "node:crypto";

/** Digests of equal length are compared, so that the time taken tells nothing. */
export function isBearer(header: string | undefined, token: string): boolean {
  const given = /^Bearer (.+)$/i.exec(header ?? "")?.[1] ?? "";
  return timingSafeEqual(digest(given), digest(token));
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
