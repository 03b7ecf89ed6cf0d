/**
 * TLS for SIP (RFC 3261 §26.3, RFC 5922): which certificate we show, whom we believe, and whether a certificate speaks
 * for the domain that was configured.
 */
import { isIP, type TcpSocketConnectOpts } from "node:net";
import {
  connect,
  type PeerCertificate,
  type SecureContextOptions,
  type TLSSocket,
  type TlsOptions,
} from "node:tls";
import type { Target } from "../../core/machine.ts";
import { canonical } from "./local-address.ts";

export interface TlsSettings {
  /** Authorities to believe, PEM; without it those that Node brings. */
  readonly authorities?: readonly string[];
  /** SHA-256 fingerprints ("AB:CD:…"). If given, exactly these certificates are believed, whoever signed them. */
  readonly pinned?: readonly string[];
  /** Our own certificate chain and key, PEM; a listener needs both. */
  readonly certificate?: string;
  readonly key?: string;
  /** A listener refuses peers without a certificate of one of the authorities. */
  readonly demandPeerCertificate?: boolean;
}

/** Tickets kept for resumption, one for each domain and address; the oldest makes room. */
const MOST_TICKETS = 256;

export class TlsSide {
  readonly #settings: TlsSettings;
  readonly #tickets = new Map<string, Buffer>();

  constructor(settings: TlsSettings = {}) {
    this.#settings = settings;
  }

  get canListen(): boolean {
    return this.#settings.certificate !== undefined && this.#settings.key !== undefined;
  }

  listening(handshakeTimeout: number): TlsOptions {
    const demand = this.#settings.demandPeerCertificate === true;
    const context = this.#context();
    return { ...context, handshakeTimeout, requestCert: demand, rejectUnauthorized: demand };
  }

  /** A connection that ends in an error, and never in `secureConnect`, if the peer is not the one that was meant. */
  connect(target: Target, options: Partial<TcpSocketConnectOpts>): TLSSocket {
    const identity = target.domain ?? target.address;
    const pinned = this.#settings.pinned;
    const ticketKey = `${identity} ${target.address} ${target.port}`;
    const session = this.#tickets.get(ticketKey);
    const socket = connect({
      ...options,
      ...this.#context(),
      ...(session === undefined ? {} : { session }),
      host: target.address,
      port: target.port,
      // A server name must not be an address (RFC 6066 §3).
      servername: isIP(identity) === 0 ? identity : "",
      // A pinned certificate needs no authority; the fingerprint below has the last word then.
      rejectUnauthorized: pinned === undefined,
      checkServerIdentity: (_name, certificate) =>
        speaksFor(certificate, identity)
          ? undefined
          : new Error(`the certificate of ${target.address} does not speak for ${identity}`),
    });
    socket.on("session", (ticket) => this.#keep(ticketKey, ticket));
    if (pinned !== undefined) {
      socket.prependOnceListener("secureConnect", () => {
        const print = socket.getPeerX509Certificate()?.fingerprint256;
        if (print !== undefined && pinned.includes(print)) return;
        this.#tickets.delete(ticketKey);
        socket.destroy(new Error(`the certificate of ${identity} is not one of those pinned`));
      });
    }
    return socket;
  }

  #context(): SecureContextOptions {
    const { authorities, certificate, key } = this.#settings;
    return {
      minVersion: "TLSv1.2",
      ...(authorities === undefined ? {} : { ca: [...authorities] }),
      ...(certificate === undefined ? {} : { cert: certificate }),
      ...(key === undefined ? {} : { key }),
    };
  }

  #keep(ticketKey: string, ticket: Buffer): void {
    this.#tickets.delete(ticketKey);
    const [oldest] = this.#tickets.keys();
    if (this.#tickets.size >= MOST_TICKETS && oldest !== undefined) this.#tickets.delete(oldest);
    this.#tickets.set(ticketKey, ticket);
  }
}

interface SubjectName {
  readonly kind: string;
  readonly value: string;
}

/**
 * Whether a certificate is one of `identity`, a domain or address: RFC 5922 §7.1 and §7.2. A wildcard speaks for
 * nothing, a SIP URI only without a user part, and the common name only when there is no alternative name at all.
 */
export function speaksFor(
  certificate: Pick<PeerCertificate, "subject" | "subjectaltname">,
  identity: string,
): boolean {
  const names = alternativeNames(certificate.subjectaltname ?? "");
  if (isIP(identity) !== 0) {
    const address = canonical(identity);
    return names.some(({ kind, value }) => kind === "IP Address" && sameAddress(value, address));
  }
  const domain = plain(identity);
  if (certificate.subjectaltname === undefined) {
    return plain(String(certificate.subject?.CN ?? "")) === domain;
  }
  return names.some(
    ({ kind, value }) =>
      (kind === "DNS" && plain(value) === domain) ||
      (kind === "URI" && /^sip:/i.test(value) && plain(value.slice("sip:".length)) === domain),
  );
}

/** Node prints names as `DNS:a.example, URI:sip:a.example`, and in JSON's quotes where a value could mislead. */
function alternativeNames(text: string): SubjectName[] {
  const names: SubjectName[] = [];
  for (const match of text.matchAll(/([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/gy)) {
    const [, kind = "", value = ""] = match;
    names.push({ kind: kind.trim(), value });
  }
  return names;
}

function sameAddress(value: string, address: string): boolean {
  return isIP(value) !== 0 && canonical(value) === address;
}

function plain(domain: string): string {
  return domain.toLowerCase().replace(/\.$/, "");
}
