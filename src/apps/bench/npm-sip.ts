/** The npm package `sip`, if it is installed: as much of its face as a registrar and a parser need. */
import { createRequire } from "node:module";

export interface SipRequest {
  readonly method: string;
  readonly headers: {
    readonly to: { readonly uri: string };
    readonly contact?: readonly {
      readonly uri: string;
      readonly params: Record<string, string | undefined>;
    }[];
    readonly expires?: string | number;
    readonly authorization?: unknown;
  };
}

export interface SipResponse {
  headers: {
    to: { params: Record<string, string | undefined> };
    contact?: { uri: string; params: Record<string, number> }[];
  };
}

export interface SipPackage {
  parse(bytes: Uint8Array): unknown;
  stringify(message: unknown): string;
  create(
    options: { address: string; port: number; udp: boolean; tcp: boolean },
    requested: (request: SipRequest) => void,
  ): { send(response: SipResponse): void };
  makeResponse(request: SipRequest, status: number, reason: string): SipResponse;
  parseUri(uri: string): { readonly user: string; readonly host: string };
}

export interface DigestContext {
  realm: string;
  nonce?: string;
}

export interface SipDigest {
  challenge(context: DigestContext, response: SipResponse): SipResponse;
  authenticateRequest(
    context: DigestContext,
    request: SipRequest,
    user: { user: string; password: string },
  ): boolean;
}

const require = createRequire(import.meta.url);

export function loadSip(): SipPackage | undefined {
  return load("sip") as SipPackage | undefined;
}

export function loadSipDigest(): SipDigest | undefined {
  return load("sip/digest.js") as SipDigest | undefined;
}

function load(name: string): unknown {
  try {
    return require(name);
  } catch {
    return undefined;
  }
}
