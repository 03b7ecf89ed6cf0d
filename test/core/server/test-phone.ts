/** A scripted phone in the town: sends text, keeps what it hears, answers as it is told. */
import assert from "node:assert/strict";
import type { Message, Request, Response } from "../../../src/core/message/message.ts";
import { parseMessage } from "../../../src/core/message/parse.ts";
import { printMessage, responseTo } from "../../../src/core/message/print.ts";
import type { Inhabitant, Town } from "./town.ts";

export interface Sending {
  readonly callId?: string;
  readonly cseq?: number;
  readonly lines?: readonly string[];
  readonly body?: string;
  readonly from?: string;
  readonly to?: string;
  readonly branch?: string;
  readonly maxForwards?: number;
  readonly contact?: string;
}

/** A phone at one place, over UDP or a connection of its own. */
export class TestPhone implements Inhabitant {
  readonly town: Town;
  readonly place: string;
  readonly user: string;
  readonly received: Message[] = [];
  readonly texts: string[] = [];
  /** When set, each request that comes in is answered so; undefined: silence. */
  answer: ((request: Request) => number | Response | undefined) | undefined;
  #cseq = 0;
  #branch = 0;

  constructor(town: Town, place: string, user: string) {
    this.town = town;
    this.place = place;
    this.user = user;
    town.places.set(place, this);
  }

  get transport(): string {
    return this.place.slice(0, this.place.indexOf(":"));
  }

  /** `host:port`. */
  get address(): string {
    return this.place.slice(this.place.indexOf(":") + 1);
  }

  get contact(): string {
    const how = this.transport === "udp" ? "" : `;transport=${this.transport}`;
    return `sip:${this.user}@${this.address}${how}`;
  }

  get requests(): Request[] {
    return this.received.filter((message) => message.kind === "request");
  }

  get responses(): Response[] {
    return this.received.filter((message) => message.kind === "response");
  }

  /** `180 INVITE`, `CANCEL` … in the order of arrival. */
  get heard(): string[] {
    return this.received.map((message) =>
      message.kind === "request"
        ? message.method
        : `${message.status} ${message.headers.get("cseq")?.split(" ")[1]}`,
    );
  }

  last(method: string): Request {
    const found = this.requests.filter((request) => request.method === method).at(-1);
    assert.ok(found, `${this.user} got no ${method}: ${this.heard.join(", ")}`);
    return found;
  }

  final(method: string): Response {
    const found = this.responses
      .filter(({ status, headers }) => status >= 200 && headers.get("cseq")?.endsWith(method))
      .at(-1);
    assert.ok(found, `${this.user} got no final response to ${method}: ${this.heard.join(", ")}`);
    return found;
  }

  came(_to: string, from: string, bytes: Uint8Array): void {
    const text = Buffer.from(bytes).toString("latin1");
    this.texts.push(text);
    const message = parseMessage(text);
    assert.notEqual(message.kind, "malformed", text);
    this.received.push(message as Message);
    if (message.kind !== "request" || message.method === "ACK") return;
    const answer = this.answer?.(message);
    if (answer === undefined) return;
    const response = typeof answer === "number" ? this.responseTo(message, answer) : answer;
    this.reply(response, from);
  }

  parted(): void {}

  /** A response with tag, Contact and Record-Route, as an honest phone sends it. */
  responseTo(request: Request, status: number): Response {
    const response = responseTo(request, status, undefined, `t${this.user}`);
    for (const value of request.headers.all("record-route")) {
      response.headers.add("record-route", value);
    }
    if (status < 300) response.headers.add("contact", `<${this.contact}>`);
    return response;
  }

  reply(response: Response, to: string): void {
    const bytes = Buffer.from(printMessage(response), "latin1");
    this.town.later(() => this.town.places.get(to)?.came(to, this.place, bytes));
  }

  send(to: string, method: string, uri: string, sending: Sending = {}): void {
    const cseq = sending.cseq ?? ++this.#cseq;
    this.#cseq = cseq;
    this.#branch += 1;
    const { body = "", callId = `call-${this.user}`, maxForwards = 70 } = sending;
    const branch = sending.branch ?? `z9hG4bK${this.user}${this.#branch}`;
    const text = [
      `${method} ${uri} SIP/2.0`,
      `Via: SIP/2.0/${this.transport.toUpperCase()} ${this.address};branch=${branch};rport`,
      `From: ${sending.from ?? `<sip:${this.user}@example.com>;tag=f${this.user}`}`,
      `To: ${sending.to ?? `<${uri}>`}`,
      `Call-ID: ${callId}`,
      `CSeq: ${cseq} ${method}`,
      `Max-Forwards: ${maxForwards}`,
      `Contact: ${sending.contact ?? `<${this.contact}>`}`,
      ...(sending.lines ?? []),
      `Content-Length: ${body.length}`,
      "",
      body,
    ].join("\r\n");
    this.sendText(to, text);
  }

  sendText(to: string, text: string): void {
    const bytes = Buffer.from(text, "latin1");
    this.town.later(() => this.town.places.get(to)?.came(to, this.place, bytes));
  }

  register(to: string, lines: readonly string[] = []): void {
    this.send(to, "REGISTER", "sip:example.com", {
      to: `<sip:${this.user}@example.com>`,
      callId: `reg-${this.user}`,
      lines,
    });
    this.town.pass(10);
  }

  /** Sends an in-dialog request by the routes of the 2xx it got (caller) or the INVITE it got (callee). */
  sendInDialog(to: string, method: string, dialog: Message, lines: readonly string[] = []): void {
    const { headers } = dialog;
    const caller = dialog.kind === "response";
    const routes = headers.all("record-route").flatMap((line) => line.split(/,\s*(?=<)/));
    if (caller) routes.reverse();
    const contact = /<(.*?)>/.exec(headers.get("contact") ?? "")?.[1] ?? "";
    const own = `${headers.get("to")}${caller ? "" : `;tag=t${this.user}`}`;
    this.send(to, method, contact, {
      callId: headers.get("call-id") as string,
      from: caller ? (headers.get("from") as string) : own,
      to: caller ? own : (headers.get("from") as string),
      lines: routes.length > 0 ? [`Route: ${routes.join(", ")}`, ...lines] : lines,
    });
    this.town.pass(10);
  }
}
