/**
 * What a server of the matrix says: registrar, notifier and callee in one, the same words in both worlds. It keeps no
 * state but its mood, so any of them knows the dialogs of the others, as servers that share their location do.
 */
import type { Request, Response } from "../../../core/message/message.ts";
import { fromOf, toOf } from "../../../core/message/name-addr.ts";
import { parseMessage } from "../../../core/message/parse.ts";
import { printMessage, responseTo } from "../../../core/message/print.ts";
import type { MatrixTransport } from "./axes.ts";
import { CALLEE, SUBSCRIBED_SECONDS } from "./setting.ts";

export type Mood =
  | { readonly kind: "well" }
  | { readonly kind: "silent" }
  | { readonly kind: "slow"; readonly ms: number }
  | { readonly kind: "refusing"; readonly status: number; readonly retryAfterSeconds?: number };

export const WELL: Mood = { kind: "well" };

/** One message to send back. */
export interface Saying {
  readonly afterMs: number;
  readonly text: string;
}

export class MatrixPeer {
  mood: Mood = WELL;
  subscriptionSeconds: number = SUBSCRIBED_SECONDS;
  readonly #address: string;
  readonly #port: number;
  readonly #transport: MatrixTransport;
  #branches = 0;

  constructor(address: string, port: number, transport: MatrixTransport) {
    this.#address = address;
    this.#port = port;
    this.#transport = transport;
  }

  /** What it says to one whole message; nothing to responses, to ACK, and to what it cannot read. */
  heard(text: string): readonly Saying[] {
    if (this.mood.kind === "silent" || text.trim() === "") return [];
    const request = parseMessage(text);
    if (request.kind !== "request" || request.method === "ACK") return [];
    const afterMs = this.mood.kind === "slow" ? this.mood.ms : 0;
    return this.#sayings(request).map((said) => ({ afterMs, text: said }));
  }

  #sayings(request: Request): string[] {
    if (this.mood.kind === "refusing") {
      const refusal = this.#respond(request, this.mood.status);
      const { retryAfterSeconds } = this.mood;
      if (retryAfterSeconds !== undefined) {
        refusal.headers.add("retry-after", String(retryAfterSeconds));
      }
      return [printMessage(refusal)];
    }
    const response = this.#respond(request, 200);
    switch (request.method) {
      case "REGISTER":
        grant(request, response);
        return [printMessage(response)];
      case "SUBSCRIBE":
        response.headers.add("expires", String(this.subscriptionSeconds));
        return [printMessage(response), this.#notify(request, response)];
      case "INVITE":
        response.headers.add("content-type", "application/sdp");
        response.body = this.#audio();
        return [printMessage(response)];
      default:
        return [printMessage(response)];
    }
  }

  #respond(request: Request, status: number): Response {
    const response = responseTo(request, status, undefined, `at-${this.#address}`);
    if (status < 300 && (request.method === "INVITE" || request.method === "SUBSCRIBE")) {
      response.headers.add("record-route", `<sip:${this.#place};lr>`);
      response.headers.add("contact", `<sip:${CALLEE}@${this.#place}>`);
    }
    return response;
  }

  get #place(): string {
    return `${this.#address}:${this.#port};transport=${this.#transport}`;
  }

  #notify(subscribe: Request, response: Response): string {
    const { headers } = subscribe;
    const contact = /<([^>]+)>/.exec(headers.get("contact") ?? "")?.[1] ?? "";
    const transport = this.#transport.toUpperCase();
    this.#branches += 1;
    const branch = `z9hG4bK-${this.#address}-${this.#branches}`;
    return [
      `NOTIFY ${contact} SIP/2.0`,
      `Via: SIP/2.0/${transport} ${this.#address}:${this.#port};branch=${branch};rport`,
      "Max-Forwards: 70",
      `From: <${toOf(headers)?.uri}>;tag=${toOf(response.headers)?.tag}`,
      `To: <${fromOf(headers)?.uri}>;tag=${fromOf(headers)?.tag}`,
      `Call-ID: ${headers.get("call-id")}`,
      `CSeq: ${this.#branches} NOTIFY`,
      `Contact: <sip:${CALLEE}@${this.#place}>`,
      "Event: message-summary",
      `Subscription-State: active;expires=${this.subscriptionSeconds}`,
      "Content-Length: 0",
      "",
      "",
    ].join("\r\n");
  }

  /** A callee that takes G.711 where nobody listens. */
  #audio(): string {
    const address = `IN IP4 ${this.#address}`;
    return [
      "v=0",
      `o=callee 1 1 ${address}`,
      "s=-",
      `c=${address}`,
      "t=0 0",
      "m=audio 40000 RTP/AVP 0 8",
      "a=sendrecv",
      "",
    ].join("\r\n");
  }
}

function grant(request: Request, response: Response): void {
  const contact = request.headers.get("contact");
  const expires = request.headers.get("expires") ?? "3600";
  if (contact !== undefined && expires !== "0") {
    response.headers.add("contact", `${contact};expires=${expires}`);
  }
}
