/** A phone with flows of its own (RFC 5626), and what it says when it registers one. */
import { TestPhone } from "./test-phone.ts";
import type { Town } from "./town.ts";

interface Registering {
  /** Seconds; 1 h unless said. */
  readonly expires?: number;
  readonly domain?: string;
  readonly via?: string;
  readonly supported?: string;
  readonly lines?: readonly string[];
}

/** Bob's only phone, or one connection of it, each of which registers a flow. */
export class Bob extends TestPhone {
  readonly #instance: string;

  constructor(town: Town, place: string, user: string, instance = "urn:uuid:1") {
    super(town, place, user);
    this.#instance = instance;
  }

  registerFlow(to: string, regId: number, more: Registering = {}): this {
    const { domain = "example.com", via = "", supported = "outbound, path", lines = [] } = more;
    const { expires = 3600 } = more;
    const text = [
      `REGISTER sip:${domain} SIP/2.0`,
      `Via: SIP/2.0/${this.transport.toUpperCase()} ${this.address};branch=z9hG4bK${Math.trunc(this.town.now)}${via}`,
      `From: <sip:${this.user}@${domain}>;tag=f`,
      `To: <sip:${this.user}@${domain}>`,
      `Call-ID: reg-${regId}-${this.#instance}`,
      `CSeq: ${1 + Math.trunc(this.town.now)} REGISTER`,
      "Max-Forwards: 70",
      `Contact: <${this.contact};ob>;reg-id=${regId};+sip.instance="<${this.#instance}>"`,
      `Expires: ${expires}`,
      `Supported: ${supported}`,
      ...lines,
      "Content-Length: 0\r\n\r\n",
    ];
    this.sendText(to, text.join("\r\n"));
    this.town.pass(20);
    return this;
  }

  /** His connection is gone, and the far end has been told. */
  hangUp(at: string): void {
    this.town.places.delete(this.place);
    this.town.places.get(at)?.parted?.(at, this.place);
    this.town.pass(5);
  }
}
