/** linphone-cli without a sound card, a database of friends, or an opinion about the network of the machine. */

export interface LinphonePlan {
  readonly address: string;
  /** `sip:127.0.0.13:5061;transport=tls`. */
  readonly server: string;
  /** A PEM file of the authority that it believes. */
  readonly authority?: string;
  readonly user: string;
  readonly domain: string;
  readonly password: string;
  readonly expiresSeconds: number;
}

/** Its `linphonerc`. */
export function linphoneConfiguration(plan: LinphonePlan): string {
  const { address, server, authority, user, domain, password, expiresSeconds } = plan;
  return `[sip]
bind_address=${address}
use_ipv6=0
ipv6_migration_done=1
sip_port=5060
sip_tcp_port=5060
sip_tls_port=5061
auto_net_state_mon=0
guess_hostname=0
register_only_when_network_is_up=0
verify_server_certs=1
verify_server_cn=0
${authority === undefined ? "" : `root_ca=${authority}`}
default_proxy=0

[net]
dns_srv_enabled=0

[proxy_0]
reg_proxy=<${server}>
reg_route=<${server};lr>
reg_identity=sip:${user}@${domain}
reg_expires=${expiresSeconds}
reg_sendregister=1
publish=0

[auth_info_0]
username=${user}
passwd=${password}
realm=${domain}
`;
}
