/**
 * TLS for SIP (RFC 3261 §26.3, RFC 5922): which certificate we show, whom we believe, and whether the peer is the one
 * that was meant.
 */
import { isIP, type Socket, type TcpSocketConnectOpts } from "node:net";
import {
  connect,
  createSecureContext,
  type SecureContext,
  type SecureContextOptions,
  type Server,
  TLSSocket,
  type TlsOptions,
} from "node:tls";
import type { Target } from "../../core/machine.ts";
import { domainsOf, speaksFor } from "./certificate-names.ts";

/** Whom we believe, and who we are. All PEM. */
export interface TlsSettings {
  /** Authorities to believe, PEM; without it those that Node brings. */
  readonly authorities?: readonly string[];
  /** SHA-256 fingerprints ("AB:CD:…"). If given, exactly these certificates are believed, whoever signed them. */
  readonly pinned?: readonly string[];
  /** Our own certificate chain and key, PEM. A listener needs both; a caller shows them where it is asked to. */
  readonly certificate?: string;
  readonly key?: string;
  /**
   * What a listener wants of those who connect: nothing; a certificate, which if an authority stands behind it proves
   * their domain; or that and no connection without.
   */
  readonly clients?: "anonymous" | "asked" | "demanded";
}

/** Tickets kept for resumption, one for each domain and address; the oldest makes room. */
export const MOST_TICKETS = 256;

export class TlsSide {
  readonly #listeners = new Set<Server>();
  #settings: TlsSettings;
  readonly #tickets = new Map<string, Buffer>();
  /** Of all connections made from here: reading the authorities takes longer than a handshake. */
  #context: SecureContext | undefined;

  constructor(settings: TlsSettings = {}) {
    this.#settings = settings;
  }

  get canListen(): boolean {
    return this.#settings.certificate !== undefined && this.#settings.key !== undefined;
  }

  listening(handshakeTimeout: number): TlsOptions {
    const { clients = "anonymous" } = this.#settings;
    return {
      ...this.#contextOptions(),
      handshakeTimeout,
      requestCert: clients !== "anonymous",
      rejectUnauthorized: clients === "demanded",
    };
  }

  /** Its handshakes show what `show` says from then on. */
  follow(server: Server): void {
    this.#listeners.add(server);
    server.once("close", () => this.#listeners.delete(server));
  }

  /**
   * Another certificate for all handshakes from now on; connections that stand are left alone.
   * @throws Error when the two are no certificate and its key.
   */
  show(certificate: string, key: string): void {
    createSecureContext({ cert: certificate, key });
    this.#settings = { ...this.#settings, certificate, key };
    for (const server of this.#listeners) server.setSecureContext(this.#contextOptions());
  }

  /** A connection that ends in an error, and never in `secureConnect`, if the peer is not the one that was meant. */
  connect(target: Target, options: Partial<TcpSocketConnectOpts>): TLSSocket {
    const identity = target.domain ?? target.address;
    const pinned = this.#settings.pinned;
    const ticketKey = `${identity} ${target.address} ${target.port}`;
    const session = this.#tickets.get(ticketKey);
    this.#context ??= createSecureContext(this.#contextOptions());
    const socket = connect({
      ...options,
      secureContext: this.#context,
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
    socket.on("session", (ticket) => {
      if (!socket.destroyed) this.#keep(ticketKey, ticket);
    });
    if (pinned !== undefined) {
      socket.prependOnceListener("secureConnect", () => {
        // What is resumed began with one of these, and shows none again.
        if (socket.isSessionReused()) return;
        const print = socket.getPeerX509Certificate()?.fingerprint256;
        if (print !== undefined && pinned.includes(print)) return;
        this.#tickets.delete(ticketKey);
        socket.destroy(new Error(`the certificate of ${identity} is not one of those pinned`));
      });
    }
    return socket;
  }

  #contextOptions(): SecureContextOptions {
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

/** The domains that the peer of an accepted connection has proven; none without a certificate that is believed. */
export function provenDomains(socket: Socket): readonly string[] | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
  return domainsOf(socket.getPeerCertificate());
}

/** Why the certificate that the caller shows is not believed; undefined if it is, or none is shown. */
export function disbelief(socket: Socket): string | undefined {
  if (!(socket instanceof TLSSocket) || socket.authorized) return undefined;
  if (socket.getPeerX509Certificate() === undefined) return undefined;
  return String(socket.authorizationError);
}

/** Why the caller was not let in with the certificate that he has shown; undefined if that was not the reason. */
export function refusedFor(socket: Socket): string | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorizationError) return undefined;
  return String(socket.authorizationError);
}
