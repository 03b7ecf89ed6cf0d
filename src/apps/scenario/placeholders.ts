/**
 * `${primary}` and its kin in zones and provisioning files: scenarios name servers, and only the stage knows their
 * addresses. `${NAME}` is a server's address, `${NAME.port}` its port, `${NAME.tls}` that for TLS, `${dns}` the resolver as ADDRESS:PORT,
 * `${domain}` the domain, `${user}` and `${password}` those of the phone whose file it is.
 */

const PLACEHOLDER = /\$\{([\w.-]+)\}/g;

/** The names used in a text, each with the line (0-based) of its first use. */
export function placeholdersIn(text: string): Map<string, number> {
  const found = new Map<string, number>();
  text.split("\n").forEach((line, index) => {
    for (const match of line.matchAll(PLACEHOLDER)) {
      const name = match[1] as string;
      if (!found.has(name)) found.set(name, index);
    }
  });
  return found;
}

/** Replaces each placeholder; one with no value stays as it is. */
export function fillPlaceholders(text: string, values: ReadonlyMap<string, string>): string {
  return text.replace(PLACEHOLDER, (whole, name: string) => values.get(name) ?? whole);
}

/** The names that texts of a topology may use. */
export function knownPlaceholders(servers: readonly string[]): Set<string> {
  const known = new Set(["domain", "dns", "dns.address", "dns.port", "user", "password"]);
  for (const server of servers) known.add(server).add(`${server}.port`).add(`${server}.tls`);
  return known;
}
