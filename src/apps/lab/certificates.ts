/** The certificates that the lab's servers show, in `scenarios/lab/certificates` (made by its make.sh). */
import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ShownCertificate } from "../scenario/scenario.ts";

const FOLDER = join(
  import.meta.dirname,
  ...["..", "..", "..", "..", "scenarios", "lab", "certificates"],
);

/** Whom the lab's phones believe. */
export const AUTHORITY: string = join(FOLDER, "authority.pem");

/** What phones believe whatever name they look for: files name servers that no certificate of the lab speaks for. */
export async function goodFingerprint(): Promise<string> {
  return (await goodCertificate()).fingerprint256;
}

/** Whether the lab's servers can prove to be those of a domain. */
export async function speaksFor(domain: string): Promise<boolean> {
  return (await goodCertificate()).checkHost(domain) !== undefined;
}

async function goodCertificate(): Promise<X509Certificate> {
  return new X509Certificate(await readFile(certificateFiles("good").certificate));
}

export function certificateFiles(shown: ShownCertificate): { certificate: string; key: string } {
  return { certificate: join(FOLDER, `${shown}.pem`), key: join(FOLDER, "server.key") };
}
