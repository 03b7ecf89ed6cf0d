/** The `tls` of a phone or server as a program gives it: every fault of it before anything listens or connects. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import type { TlsSettings } from "../worlds/node/tls.ts";

/** Takes note of one fault. */
type Tell = (key: string, wrong: string, remedy: string) => void;

const KEYS: readonly (keyof TlsSettings)[] = [
  "authorities",
  "pinned",
  "certificate",
  "key",
  "clients",
];
const CLIENTS: readonly unknown[] = ["anonymous", "asked", "demanded"];
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;
const FINGERPRINT = /^[0-9A-F]{2}(:[0-9A-F]{2}){31}$/;

/** @param tls what was given, whatever its type says. */
export function checkTls(tls: unknown, tell: Tell): void {
  if (tls === undefined) return;
  if (typeof tls !== "object" || tls === null) {
    tell("tls", `cannot be ${String(tls)}`, `give an object of ${KEYS.join(", ")}`);
    return;
  }
  const known: readonly string[] = KEYS;
  for (const key of Object.keys(tls)) {
    if (!known.includes(key)) {
      tell(`tls.${key}`, "is not known", `give one of ${KEYS.join(", ")}`);
    }
  }
  const given: { readonly [key in keyof TlsSettings]?: unknown } = tls;
  checkPair(given.certificate, given.key, tell);
  const { authorities, pinned, clients = "anonymous" } = given;
  checkEach(authorities, "authorities", "PEM certificates", holdsCertificate, tell);
  checkEach(pinned, "pinned", 'SHA-256 fingerprints, "AB:CD:…"', isFingerprint, tell);
  if (!CLIENTS.includes(clients)) {
    tell("tls.clients", `"${String(clients)}" is not known`, `give one of ${CLIENTS.join(", ")}`);
  } else if (clients !== "anonymous" && authorities === undefined) {
    const wrong = `${String(clients)} needs to know whose certificates to believe`;
    tell("tls.clients", wrong, "give authorities with the one that issues theirs");
  }
}

/** Certificate and key each, and whether they belong together. */
function checkPair(certificate: unknown, key: unknown, tell: Tell): void {
  if (certificate === undefined && key === undefined) return;
  const [shown, secret] = [String(certificate), String(key)];
  const whole = [
    certificate === undefined
      ? told("tls.certificate", "is missing beside key", "give certificate, too")
      : tried("tls.certificate", "PEM, our own first", () => createSecureContext({ cert: shown })),
    key === undefined
      ? told("tls.key", "is missing beside certificate", "give key, too")
      : tried("tls.key", "PEM that no passphrase guards", () => createPrivateKey(secret)),
  ].every(Boolean);
  if (!whole) return;
  const remedy = "the key that the certificate was made for";
  tried("tls.key", remedy, () => createSecureContext({ cert: shown, key: secret }));

  function told(...fault: Parameters<Tell>): false {
    tell(...fault);
    return false;
  }

  function tried(name: string, right: string, deed: () => unknown): boolean {
    try {
      deed();
      return true;
    } catch (error) {
      return told(name, `cannot be used: ${(error as Error).message}`, `give ${right}`);
    }
  }
}

function checkEach(
  given: unknown,
  key: keyof TlsSettings,
  right: string,
  isRight: (item: unknown) => boolean,
  tell: Tell,
): void {
  if (given === undefined) return;
  const items: readonly unknown[] = Array.isArray(given) ? given : [];
  if (!Array.isArray(given)) tell(`tls.${key}`, "is no list", `give a list of ${right}`);
  else if (items.length === 0) tell(`tls.${key}`, "is empty", `give a list of ${right}`);
  for (const [at, item] of items.entries()) {
    if (!isRight(item)) tell(`tls.${key}.${at + 1}`, "cannot be read", `give ${right}`);
  }
}

function holdsCertificate(item: unknown): boolean {
  const blocks = [...String(item).matchAll(CERTIFICATE)];
  try {
    return blocks.map(([block]) => new X509Certificate(block)).length > 0;
  } catch {
    return false;
  }
}

function isFingerprint(item: unknown): boolean {
  return typeof item === "string" && FINGERPRINT.test(item);
}
