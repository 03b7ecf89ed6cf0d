/** Requests that a program sends and answers by itself: MESSAGE, OPTIONS, PUBLISH and whatever begins no dialog. */
import { newTag } from "../core/identifiers.ts";
import type { Instant } from "../core/machine.ts";
import type { Request, Response } from "../core/message/message.ts";
import { toOf } from "../core/message/name-addr.ts";
import { responseTo } from "../core/message/print.ts";
import type { Entropy } from "../core/primitives.ts";
import type { ServerTransaction } from "../core/transaction/user.ts";
import { shown } from "./option-values.ts";
import { bytesOf } from "./phone-options.ts";
import { SipHeaders, textOf } from "./sip-headers.ts";

/** What to send. */
export interface RequestOptions {
  /** Any method that begins no dialog: MESSAGE, OPTIONS, PUBLISH … */
  readonly method: string;
  /** A URI, or a user at the domain of the server in use; that domain itself if left out. */
  readonly to?: string;
  /** Further headers by name. Via, From, To, Call-ID, CSeq and Max-Forwards are made for you. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as UTF-8; give a `content-type` with it. */
  readonly body?: string;
  /** The index of the account, from 1. Default the first. */
  readonly account?: number;
  readonly signal?: AbortSignal;
}

/** A final response, 200..699. Refusals are responses, too. */
export interface SipResponse {
  readonly status: number;
  readonly reason: string;
  /** 200..299. */
  readonly ok: boolean;
  readonly headers: SipHeaders;
  /** Read as UTF-8. */
  readonly body: string;
}

/** A request from outside any dialog. */
export interface SipRequest {
  readonly method: string;
  /** The Request-URI. */
  readonly uri: string;
  readonly headers: SipHeaders;
  /** Read as UTF-8. */
  readonly body: string;
}

/** What to answer: a status, or one with headers and a body. */
export type SipAnswer =
  | number
  | {
      /** 200..699. */
      readonly status: number;
      readonly reason?: string;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    };

/**
 * Answers the requests of one method, within 32 s. If it throws, or what it gives is no answer, that is 500, and the
 * error is uncaught.
 */
export type RequestHandler = (request: SipRequest) => SipAnswer | Promise<SipAnswer>;

/** What dialogs, transactions and registrations are made of is not for programs. */
const RESERVED = new Set("INVITE ACK CANCEL BYE PRACK UPDATE REGISTER SUBSCRIBE REFER".split(" "));
/** Headers that are made for each attempt. */
const MADE = new Set("via from to call-id cseq max-forwards content-length".split(" "));

/** @throws TypeError if a program may not send or answer it. */
export function checkMethod(method: string): void {
  if (typeof method !== "string" || !/^[A-Za-z0-9.!%*_+`'~-]+$/.test(method)) {
    throw new TypeError(`${shown(method)} is no method`);
  }
  if (RESERVED.has(method)) throw new TypeError(`${method} belongs to calls and registrations`);
}

/** @throws TypeError if one of them is no header, or is made by the phone. */
export function headerList(
  headers: Readonly<Record<string, string>> = {},
): (readonly [name: string, value: string])[] {
  return Object.entries(headers).map(([given, value]) => {
    const name = given.toLowerCase();
    if (!/^[a-z0-9.!%*_+`'~-]+$/.test(name)) throw new TypeError(`"${given}" is no header`);
    if (MADE.has(name)) throw new TypeError(`${given} is made by the phone`);
    if (typeof value !== "string") {
      throw new TypeError(`the header ${given} cannot be ${shown(value)}: give text`);
    }
    return [name, bytesOf(value)] as const;
  });
}

export function sipResponse({ status, reason, headers, body }: Response): SipResponse {
  return {
    status,
    reason: textOf(reason),
    ok: status < 300,
    headers: new SipHeaders(headers),
    body: textOf(body),
  };
}

/** As programs read it. */
export function sipRequest({ method, uri, headers, body }: Request): SipRequest {
  return { method, uri, headers: new SipHeaders(headers), body: textOf(body) };
}

/** The requests that a program answers, by method. */
export class RequestHandlers {
  readonly #handlers = new Map<string, RequestHandler>();
  readonly #entropy: Entropy;
  readonly #later: (deliver: () => void) => void;
  readonly #act: (deed: (now: Instant) => void) => void;

  /**
   * @param later calls a function after the turn of the machine.
   * @param act does something with the machine, if it still runs.
   */
  constructor(
    entropy: Entropy,
    later: (deliver: () => void) => void,
    act: (deed: (now: Instant) => void) => void,
  ) {
    this.#entropy = entropy;
    this.#later = later;
    this.#act = act;
  }

  set(method: string, handler: RequestHandler | undefined): void {
    checkMethod(method);
    if (handler !== undefined && typeof handler !== "function") {
      throw new TypeError(`the handler of ${method} cannot be ${shown(handler)}: give a function`);
    }
    if (handler === undefined) this.#handlers.delete(method);
    else this.#handlers.set(method, handler);
  }

  /** True if the program answers it. */
  takes(transaction: ServerTransaction): boolean {
    const { request } = transaction;
    const handler = this.#handlers.get(request.method);
    if (handler === undefined || toOf(request.headers)?.tag !== undefined) return false;
    this.#later(() => void this.#answer(transaction, handler));
    return true;
  }

  async #answer(transaction: ServerTransaction, handler: RequestHandler): Promise<void> {
    const request = sipRequest(transaction.request);
    let response = this.#response(transaction, 500);
    try {
      response = this.#response(transaction, await handler(request));
    } finally {
      this.#act((now) => transaction.respond(now, response));
    }
  }

  /** @throws TypeError if it is no answer. */
  #response({ request }: ServerTransaction, answer: SipAnswer): Response {
    const given = typeof answer === "number" ? { status: answer } : answer;
    const status: unknown = given?.status;
    if (
      typeof status !== "number" ||
      !(Number.isInteger(status) && status >= 200 && status <= 699)
    ) {
      const wrong = `${request.method} cannot be answered with ${shown(answer)}`;
      throw new TypeError(`${wrong}: give 200 to 699, or { status, headers, body }`);
    }
    const { reason, headers, body = "" } = given;
    if (typeof body !== "string") throw new TypeError(`body cannot be ${shown(body)}: give text`);
    const response = responseTo(request, status, reason, newTag(this.#entropy));
    for (const [name, value] of headerList(headers)) response.headers.add(name, value);
    response.body = bytesOf(body);
    return response;
  }
}
