/** A Kamailio that does what a registrar must and nothing else: bindings in memory, one UDP worker. */

export interface KamailioPlace {
  /** `udp:127.0.0.1:5070`. */
  readonly listen: string;
  readonly domain: string;
  /** One for all users; undefined: nobody is asked for one. */
  readonly password: string | undefined;
}

export function kamailioConfig({ listen, domain, password }: KamailioPlace): string {
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
listen=${listen}
alias="${domain}"
children=1
disable_tcp=yes
auto_aliases=no
dns=no
rev_dns=no
use_dns_cache=off
server_signature=no
${modules.map((name) => `loadmodule "${name}.so"`).join("\n")}
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
