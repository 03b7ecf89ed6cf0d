/** Provisioning files from the disk and from the web, as one checked configuration. */
import type { Fault, PhoneConfiguration, SourceFile } from "../core/provisioning/configuration.ts";
import { error, withoutCredentials } from "../core/provisioning/fault.ts";
import { type ReadOptions, readConfiguration } from "../core/provisioning/read.ts";
import type { AccountPolicy } from "../core/redundancy/policy.ts";
import { readSource, whyUnread } from "../worlds/node/source-file.ts";
import { ConfigurationError } from "./errors.ts";
import { bytesOf } from "./phone-options.ts";

/**
 * Reads the files of one phone, paths or `http(s)` addresses; later ones overlay earlier ones. Warnings are among its
 * faults.
 * @throws ConfigurationError with every error and warning, if there is an error.
 */
export async function readFiles(
  paths: readonly string[],
  options: ReadOptions = {},
): Promise<PhoneConfiguration> {
  const configuration = readConfiguration(await readSources(paths), options);
  if (configuration.faults.some(({ severity }) => severity === "error")) {
    throw new ConfigurationError(configuration.faults);
  }
  return { ...configuration, accounts: configuration.accounts.map(inBytes) };
}

/** The text of each file. @throws ConfigurationError if one cannot be read. */
export async function readSources(paths: readonly string[]): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  const unread: Fault[] = [];
  for (const path of paths) {
    const name = withoutCredentials(path);
    try {
      files.push({ name, text: await readSource(path) });
    } catch (cause) {
      const wrong = `cannot be read (${whyUnread(cause)})`;
      const remedy = "name a provisioning file that can be";
      unread.push(error({ file: name, line: 1, key: "file" }, "file-unfit", wrong, remedy));
    }
  }
  if (unread.length > 0) throw new ConfigurationError(unread);
  return files;
}

/** As `bytesOf` says: the server digests the UTF-8 bytes of a password, too. */
function inBytes(account: AccountPolicy): AccountPolicy {
  const { authName, password, displayName } = account;
  return {
    ...account,
    authName: bytesOf(authName),
    password: bytesOf(password),
    displayName: bytesOf(displayName),
  };
}
