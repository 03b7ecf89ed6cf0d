/** The certificates that the lab's servers show, in `scenarios/lab/certificates` (made by its make.sh). */
import { join } from "node:path";
import type { ShownCertificate } from "../scenario/scenario.ts";

const FOLDER = join(
  import.meta.dirname,
  ...["..", "..", "..", "..", "scenarios", "lab", "certificates"],
);

/** Whom the lab's phones believe. */
export const AUTHORITY: string = join(FOLDER, "authority.pem");

export function certificateFiles(shown: ShownCertificate): { certificate: string; key: string } {
  return { certificate: join(FOLDER, `${shown}.pem`), key: join(FOLDER, "server.key") };
}
