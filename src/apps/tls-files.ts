/** The PEM files of `--certificate`, `--key` and `--ca` as settings of TLS, and every fault of theirs before the start. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import type { Fault } from "../core/provisioning/configuration.ts";
import { speaksFor } from "../worlds/node/certificate-names.ts";
import { readSource, whyUnread } from "../worlds/node/source-file.ts";
import type { TlsSettings } from "../worlds/node/tls.ts";

export interface TlsFlags {
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
  readonly ca?: readonly string[] | undefined;
  readonly pin?: readonly string[] | undefined;
  readonly clients?: string | undefined;
}

const CLIENTS: readonly string[] = ["anonymous", "asked", "demanded"];
const BLOCK = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/**
 * Undefined if no flag says anything of TLS.
 * @param domains what the certificate should speak for, as phones check that (RFC 5922 §7); a warning if it does not.
 * @param epochMs the time of day.
 */
export async function readTls(
  flags: TlsFlags,
  domains: readonly string[],
  epochMs: number,
): Promise<{ settings: TlsSettings | undefined; faults: readonly Fault[] }> {
  const reader = new TlsReader(epochMs);
  const settings: TlsSettings = {
    ...(await reader.pair(flags, domains)),
    ...(await reader.authorities(flags.ca)),
    ...reader.pinned(flags.pin),
    ...reader.clients(flags),
  };
  const { faults } = reader;
  return { settings: Object.keys(settings).length === 0 ? undefined : settings, faults };
}

class TlsReader {
  readonly faults: Fault[] = [];
  readonly #epochMs: number;

  constructor(epochMs: number) {
    this.#epochMs = epochMs;
  }

  async pair(flags: TlsFlags, domains: readonly string[]): Promise<Partial<TlsSettings>> {
    const { certificate: certificateFile, key: keyFile } = flags;
    if (certificateFile === undefined && keyFile === undefined) return {};
    if (certificateFile === undefined || keyFile === undefined) {
      const [here, lacking] =
        keyFile === undefined ? ["--certificate", "--key"] : ["--key", "--certificate"];
      this.#fault(here, `stands without ${lacking}`, `write ${lacking} FILE (PEM), too`);
      return {};
    }
    const certificate = await this.#content("--certificate", certificateFile);
    const key = await this.#content("--key", keyFile);
    const [own] = this.#certificates("--certificate", certificateFile, certificate);
    const secret = this.#privateKey(keyFile, key);
    if (own === undefined || secret === undefined) return {};
    if (!own.checkPrivateKey(secret)) {
      const wrong = `${keyFile} is not the key of ${certificateFile}`;
      this.#fault("--key", wrong, "name the key that the certificate was made for");
    }
    const strange = domains.filter((domain) => !speaksFor(own.toLegacyObject(), domain));
    if (strange.length > 0) {
      const wrong = `${certificateFile} does not speak for ${strange.join(", ")}: phones configured with that will refuse it`;
      const remedy = "have it issued with these as DNS names or SIP URIs (RFC 5922)";
      this.#fault("--certificate", wrong, remedy, "warning");
    }
    return { certificate: certificate as string, key: key as string };
  }

  async authorities(files: readonly string[] | undefined): Promise<Partial<TlsSettings>> {
    if (files === undefined) return {};
    const authorities: string[] = [];
    for (const file of files) {
      const text = await this.#content("--ca", file);
      if (this.#certificates("--ca", file, text).length > 0) authorities.push(text as string);
    }
    return { authorities };
  }

  pinned(prints: readonly string[] | undefined): Partial<TlsSettings> {
    if (prints === undefined) return {};
    for (const print of prints) {
      if (/^[0-9A-F]{2}(:[0-9A-F]{2}){31}$/i.test(print)) continue;
      const remedy = "write the SHA-256 fingerprint, 32 pairs of digits with colons between";
      this.#fault("--pin", `'${print}' is no fingerprint`, remedy);
    }
    return { pinned: prints.map((print) => print.toUpperCase()) };
  }

  clients({ clients, ca }: TlsFlags): Partial<TlsSettings> {
    if (clients === undefined) return {};
    if (!CLIENTS.includes(clients)) {
      this.#fault("--clients", `'${clients}' is not known`, `write ${CLIENTS.join(", ")}`);
    } else if (clients !== "anonymous" && ca === undefined) {
      const remedy = "write --ca FILE with the authority that issues theirs";
      this.#fault("--clients", `${clients} needs to know whose certificates to believe`, remedy);
    }
    return { clients: clients as NonNullable<TlsSettings["clients"]> };
  }

  /** The certificates of a file, the first being the one that it is about; all must be of this time. */
  #certificates(flag: string, file: string, text: string | undefined): X509Certificate[] {
    if (text === undefined) return [];
    const read: X509Certificate[] = [];
    try {
      for (const [block] of text.matchAll(BLOCK)) read.push(new X509Certificate(block));
    } catch (error) {
      this.#fault(
        flag,
        `${file} holds a broken certificate: ${whyUnread(error)}`,
        "name a PEM file",
      );
      return [];
    }
    if (read.length === 0) {
      this.#fault(flag, `${file} holds no certificate`, "name a PEM file with BEGIN CERTIFICATE");
    }
    for (const { validFrom, validTo } of read) {
      if (Date.parse(validTo) < this.#epochMs) {
        this.#fault(
          flag,
          `${file} expired on ${validTo}`,
          "have it renewed; every peer would refuse it",
        );
      } else if (Date.parse(validFrom) > this.#epochMs) {
        this.#fault(
          flag,
          `${file} is valid from ${validFrom} on`,
          "wait, or set this machine's clock",
        );
      }
    }
    return read;
  }

  #privateKey(
    file: string,
    text: string | undefined,
  ): ReturnType<typeof createPrivateKey> | undefined {
    if (text === undefined) return undefined;
    try {
      return createPrivateKey(text);
    } catch (error) {
      const remedy = "name a PEM file with a private key that no passphrase guards";
      this.#fault("--key", `${file} holds no key that can be read: ${whyUnread(error)}`, remedy);
      return undefined;
    }
  }

  async #content(flag: string, file: string): Promise<string | undefined> {
    try {
      return await readSource(file);
    } catch (error) {
      this.#fault(
        flag,
        `${file} cannot be read: ${whyUnread(error)}`,
        "name a PEM file that can be",
      );
      return undefined;
    }
  }

  #fault(key: string, wrong: string, remedy: string, severity: Fault["severity"] = "error"): void {
    this.faults.push({ file: "command line", line: 1, key, severity, wrong, remedy });
  }
}
