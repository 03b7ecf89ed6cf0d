/** The certificates of the TLS tests (made by certificates/make.sh). */
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const FOLDER = join(import.meta.dirname, "..", "..", "..", "test", "node", "certificates");

function read(name: string): string {
  return readFileSync(join(FOLDER, name), "utf8");
}

export const authority: string = read("authority.pem");
/** For DNS:example.com, DNS:*.wild.example, IP:127.0.0.1, IP:::1. */
export const certificate: string = read("server.pem");
export const key: string = read("server.key");
export const fingerprint: string = new X509Certificate(certificate).fingerprint256;

/** Others with the same key; `extensions.cnf` tells their names. */
export function certificateOf(name: "sip-uri" | "trunk" | "expired" | "pbx"): string {
  return read(`${name}.pem`);
}
