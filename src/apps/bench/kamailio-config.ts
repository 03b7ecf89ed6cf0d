/** A Kamailio that does what a registrar must, bindings in memory, one worker; and, where it is to, passes calls on. */
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
  /** Passes calls on, too, and says what it sees (`SEEN`). */
  readonly calls?: boolean;
}

/** Who registered, or whose call was answered, and when: seconds since the epoch. */
export const SEEN: RegExp = /dialtone-bench (registered|answered) (\S*) (\d+\.\d+)/;

export function kamailioConfig(place: KamailioPlace): string {
  const { address, port, transport, certificate, domain, password, calls = false } = place;
  const at = `${address}:${port}`;
  const stream = `disable_tcp=no
listen=${transport}:${at}
tcp_children=1
tcp_connection_lifetime=600
${certificate === undefined ? "" : "enable_tls=yes"}`;
  const modules = ["kex", "sl", "pv", "usrloc", "registrar", ...(password ? ["auth"] : [])];
  if (calls) modules.unshift("tm", "rr", "maxfwd", "siputils", "textops", "xlog");
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
    ${calls ? "route(CALLS);" : 'sl_send_reply("405", "Method Not Allowed");'}
    exit;
  }${password ? check : ""}
  save("location");${calls ? REGISTRATION_SEEN : ""}
}
${calls ? CALLS : ""}`;
}

/** 1: a new binding; 2: one renewed. */
const REGISTRATION_SEEN = `
  if ($rc == 1 || $rc == 2) xlog("L_ALERT", "dialtone-bench registered $fU $TV(Sn)\n");`;

const CALLS = `route[CALLS] {
  if (!mf_process_maxfwd_header("10")) {
    sl_send_reply("483", "Too Many Hops");
    exit;
  }
  if (is_method("CANCEL") || (is_method("ACK") && !has_totag())) {
    if (t_check_trans()) t_relay();
    exit;
  }
  if (has_totag()) {
    if (loose_route()) t_relay();
    else if (!is_method("ACK")) sl_send_reply("404", "Not here");
    else if (t_check_trans()) t_relay();
    exit;
  }
  if (is_method("OPTIONS")) {
    sl_send_reply("200", "OK");
    exit;
  }
  if (!is_method("INVITE")) {
    sl_send_reply("405", "Method Not Allowed");
    exit;
  }
  t_check_trans();
  record_route();
  if (!lookup("location")) {
    sl_send_reply("404", "Not Found");
    exit;
  }
  t_relay();
}

onreply_route {
  if (status == "200" && is_method("INVITE")) {
    xlog("L_ALERT", "dialtone-bench answered $fU $TV(Sn)\n");
  }
}
`;

function tls({ certificate, key }: CertificateFiles): string {
  return `loadmodule "tls.so"
modparam("tls", "certificate", "${certificate}")
modparam("tls", "private_key", "${key}")
modparam("tls", "tls_method", "TLSv1.2+")`;
}
