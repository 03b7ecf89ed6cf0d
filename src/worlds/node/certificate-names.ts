/**
 * For which domains a certificate speaks: RFC 5922 §7.1 and §7.2. A wildcard speaks for nothing, a SIP URI only without
 * a user part, DNS names only where no SIP URI stands, and the common name only where there is no alternative name.
 */
import { isIP } from "node:net";
import type { PeerCertificate } from "node:tls";
import { canonical } from "./local-address.ts";

export type NamedCertificate = Pick<PeerCertificate, "subject" | "subjectaltname">;

interface AlternativeName {
  readonly kind: string;
  readonly value: string;
}

/** The domains, lower case; those that can only be wildcards are left out. */
export function domainsOf(certificate: NamedCertificate): string[] {
  if (certificate.subjectaltname === undefined) {
    const common = plain(String(certificate.subject?.CN ?? ""));
    return common === "" || common.includes("*") ? [] : [common];
  }
  const names = alternativeNames(certificate.subjectaltname);
  const uris = names
    .filter(({ kind, value }) => kind === "URI" && /^sip:[^@]+$/i.test(value))
    .map(({ value }) => plain(value.slice("sip:".length)));
  if (uris.length > 0) return uris;
  return names
    .filter(({ kind, value }) => kind === "DNS" && !value.includes("*"))
    .map(({ value }) => plain(value));
}

/** Whether a certificate is one of `identity`, a domain or an address. */
export function speaksFor(certificate: NamedCertificate, identity: string): boolean {
  if (isIP(identity) === 0) return domainsOf(certificate).includes(plain(identity));
  const address = canonical(identity);
  return alternativeNames(certificate.subjectaltname ?? "").some(
    ({ kind, value }) => kind === "IP Address" && isIP(value) !== 0 && canonical(value) === address,
  );
}

/** Node prints names as `DNS:a.example, URI:sip:a.example`, and in JSON's quotes where a value could mislead. */
function alternativeNames(text: string): AlternativeName[] {
  const names: AlternativeName[] = [];
  for (const match of text.matchAll(/([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/gy)) {
    const [, kind = "", value = ""] = match;
    names.push({ kind: kind.trim(), value });
  }
  return names;
}

function plain(domain: string): string {
  return domain.toLowerCase().replace(/\.$/, "");
}
