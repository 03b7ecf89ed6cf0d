/** The 100 that a server transaction sends by itself (RFC 3261 §8.2.6.1). */
import type { Request, Response } from "../message/message.ts";
import { responseTo } from "../message/print.ts";

export function tryingFor(request: Request): Response {
  const response = responseTo(request, 100);
  const timestamp = request.headers.get("timestamp");
  if (timestamp !== undefined) response.headers.add("timestamp", timestamp);
  return response;
}
