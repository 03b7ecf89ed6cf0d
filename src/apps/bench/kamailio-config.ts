/** A Kamailio that does what a registrar must and nothing else: bindings in memory, one worker. */
import type { CertificateFiles } from "./certificate.ts";
import type { LoadTransport } from "./load.ts";

export interface KamailioPlace {
  readonly address: string;
  readonly port: number;
  /** Besides UDP, over which it is asked whether it is there. */
  readonly transport: LoadTransport;
  /** For TLS alone. */
  readonly certificate: CertificateFiles | undefined;
  readonly domain: string;
  /** One for all users; undefined: nobody is asked for one. */
  readonly password: string | undefined;
}

export function kamailioConfig(place: KamailioPlace): string {
  const { address, port, transport, certificate, domain, password } = place;
  const at = `${address}:${port}`;
  const stream = `disable_tcp=no
listen=${transport}:${at}
tcp_children=1
tcp_connection_lifetime=600
${certificate === undefined ? "" : "enable_tls=yes"}`;
  const modules = ["kex", "sl", "pv", "usrloc", "registrar", ...(password ? ["auth"] : [])];
  const check = `
  if (!pv_www_authenticate("${domain}", "${password}", "0")) {
    www_challenge("${domain}", "1");
    exit;
  }
  consume_credentials();`;
  return `#!KAMAILIO
debug=0
log_stderror=yes
listen=udp:${at}
alias="${domain}"
children=1
${transport === "udp" ? "disable_tcp=yes" : stream}
auto_aliases=no
dns=no
rev_dns=no
use_dns_cache=off
server_signature=no
${modules.map((name) => `loadmodule "${name}.so"`).join("\n")}
${certificate === undefined ? "" : tls(certificate)}
modparam("usrloc", "db_mode", 0)
modparam("usrloc", "hash_size", 14)
modparam("registrar", "default_expires", 3600)
modparam("registrar", "max_expires", 7200)
${password ? `modparam("auth", "nonce_expire", 3600)\nmodparam("auth", "qop", "auth")` : ""}
request_route {
  if (method != "REGISTER") {
    sl_send_reply("405", "Method Not Allowed");
    exit;
  }${password ? check : ""}
  save("location");
}
`;
}

function tls({ certificate, key }: CertificateFiles): string {
  return `loadmodule "tls.so"
modparam("tls", "certificate", "${certificate}")
modparam("tls", "private_key", "${key}")
modparam("tls", "tls_method", "TLSv1.2+")`;
}
