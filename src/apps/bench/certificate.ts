/** A certificate for the servers of a measurement: valid for a day, vouched for by nobody. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { findCommand } from "../lab/guests/find-command.ts";
import type { Crew } from "./crew.ts";
import { DOMAIN } from "./load.ts";

export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

/** Made in that folder, once; undefined without openssl. */
export async function certificateIn(
  crew: Crew,
  folder: string,
): Promise<CertificateFiles | undefined> {
  const files = { certificate: join(folder, "certificate.pem"), key: join(folder, "key.pem") };
  if (existsSync(files.certificate)) return files;
  const program = findCommand("openssl");
  if (program === undefined) return undefined;
  const kind = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
  const subject = ["-nodes", "-days", "1", "-subj", `/CN=${DOMAIN}`];
  const written = ["-keyout", files.key, "-out", files.certificate];
  await crew.run(1, { program, args: [...kind, ...subject, ...written] });
  return files;
}

/** As `dialtone serve` takes them. */
export function certificateFlags(files: CertificateFiles | undefined): string[] {
  return files === undefined ? [] : ["--certificate", files.certificate, "--key", files.key];
}
