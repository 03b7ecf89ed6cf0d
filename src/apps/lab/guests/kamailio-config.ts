/**
 * A Kamailio as registrar and proxy with digest authentication and Record-Route, everything in memory: its
 * configuration as the lab gives it to those that have none of their own.
 */

export interface KamailioSettings {
  readonly address: string;
  /** The realm, and the domain of the users. */
  readonly domain: string;
  /** User to password. */
  readonly users: Readonly<Record<string, string>>;
  /** The longest registration granted, whatever is asked for: short, so that phones come often. Seconds. */
  readonly maxExpires: number;
  readonly tcp?: boolean;
  /** TLS on port 5061, with a certificate and its key as files. */
  readonly tls?: { readonly certificate: string; readonly key: string };
  /** WebSocket (RFC 7118) on this TCP port. */
  readonly ws?: number;
}

/** What `-l` must be told. */
export function listenersOf({ address, tcp, tls, ws }: KamailioSettings): string[] {
  return [
    `udp:${address}:5060`,
    ...(tcp === true ? [`tcp:${address}:5060`] : []),
    ...(tls === undefined ? [] : [`tls:${address}:5061`]),
    ...(ws === undefined ? [] : [`tcp:${address}:${ws}`]),
  ];
}

/** `tls.cfg` of its folder. */
export function tlsConfiguration({
  certificate,
  key,
}: {
  readonly certificate: string;
  readonly key: string;
}): string {
  return `[server:default]
method = TLSv1.2+
verify_certificate = no
require_certificate = no
private_key = ${key}
certificate = ${certificate}
`;
}

/**
 * `kamailio.cfg`.
 * @param folder of its files.
 * @param socket of its control interface, as `binrpc` is told.
 */
export function kamailioConfiguration(
  settings: KamailioSettings,
  folder: string,
  socket: string,
): string {
  const { domain, users, maxExpires, tcp, tls, ws } = settings;
  const streams = tcp === true || tls !== undefined || ws !== undefined;
  const known = Object.entries(users).map(
    ([user, password]) => `  if ($au == "${user}") $var(password) = "${password}";`,
  );
  return `#!KAMAILIO
debug=0
memdbg=5
memlog=5
${streams ? "tcp_children=1" : "disable_tcp=yes"}
${tls === undefined ? "" : "enable_tls=yes"}
${ws === undefined ? "" : "tcp_accept_no_cl=yes"}
auto_aliases=no
dns=no
rev_dns=no
use_dns_cache=off
alias="${domain}"

loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
loadmodule "ctl.so"
${tls === undefined ? "" : `loadmodule "tls.so"\nmodparam("tls", "config", "${folder}/tls.cfg")`}
${ws === undefined ? "" : WEBSOCKET_MODULES}

modparam("pv", "shvset", "refuses=i:0")
modparam("pv", "shvset", "retry=i:0")
modparam("usrloc", "db_mode", 0)
modparam("usrloc", "timer_interval", 1)
modparam("registrar", "max_expires", ${maxExpires})
modparam("auth", "qop", "auth")
modparam("ctl", "binrpc", "${socket}")

request_route {
${ws === undefined ? "" : WEBSOCKET_ALIAS}
  if ($shv(refuses) == 1 && !is_method("ACK")) {
    if ($shv(retry) > 0) append_to_reply("Retry-After: $shv(retry)\\r\\n");
    sl_send_reply("503", "Service Unavailable");
    exit;
  }
  if (!mf_process_maxfwd_header("10")) {
    sl_send_reply("483", "Too Many Hops");
    exit;
  }
  if (is_method("CANCEL")) {
    if (t_check_trans()) t_relay();
    exit;
  }
  if (has_totag()) {
    route(WITHIN_DIALOG);
    exit;
  }
  t_check_trans();
  $var(password) = "";
${known.join("\n")}
  if (is_method("REGISTER")) {
    if (!pv_www_authenticate("${domain}", "$var(password)", "0") || $au != $tU) {
      www_challenge("${domain}", "1");
      exit;
    }
${ws === undefined ? "" : '    if ($proto =~ "^wss?$") fix_nated_register();'}
    save("location");
    exit;
  }
  if (is_method("INVITE")) {
    if (!pv_proxy_authenticate("${domain}", "$var(password)", "0") || $au != $fU) {
      proxy_challenge("${domain}", "1");
      exit;
    }
    consume_credentials();
    record_route();
    if (!lookup("location")) {
      sl_send_reply("404", "Not Found");
      exit;
    }
    t_relay();
    exit;
  }
  if (is_method("OPTIONS")) {
    sl_send_reply("200", "OK");
    exit;
  }
  if (!is_method("ACK")) sl_send_reply("405", "Method Not Allowed");
}

route[WITHIN_DIALOG] {
  if (loose_route()) {
${ws === undefined ? "" : '    if ($du == "") handle_ruri_alias();'}
    t_relay();
    exit;
  }
  if (is_method("ACK")) {
    if (t_check_trans()) t_relay();
    exit;
  }
  sl_send_reply("404", "Not here");
}
${ws === undefined ? "" : WEBSOCKET_ROUTES}`;
}

/** Whoever comes over a WebSocket is found again by the connection, since nobody could connect to its Contact. */
const WEBSOCKET_MODULES = `loadmodule "xhttp.so"
loadmodule "websocket.so"
loadmodule "nathelper.so"
modparam("nathelper|registrar", "received_avp", "$avp(received)")`;

const WEBSOCKET_ALIAS = `  if ($proto =~ "^wss?$") {
    force_rport();
    if (is_method("INVITE")) add_contact_alias();
  }`;

const WEBSOCKET_ROUTES = `
event_route[xhttp:request] {
  if ($hdr(Upgrade) =~ "websocket" && $rm == "GET") {
    ws_handle_handshake();
    exit;
  }
  xhttp_reply("404", "Not Found", "", "");
}

onreply_route {
  if ($proto =~ "^wss?$" && status =~ "[12][0-9][0-9]") add_contact_alias();
}
`;
