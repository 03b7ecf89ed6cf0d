/** How each phone is started, registering at the name, and how it is made to dial and to hang up. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { baresipConfiguration } from "../../lab/guests/baresip-config.ts";
import { BaresipControl, CONTROL_PORT, dialPort } from "../../lab/guests/baresip-control.ts";
import { findCommand } from "../../lab/guests/find-command.ts";
import { spokenTone } from "../../lab/guests/spoken.ts";
import { type Crew, pause } from "../crew.ts";
import type { PhoneName } from "./cell.ts";

export interface Station {
  readonly crew: Crew;
  readonly folder: string;
  readonly domain: string;
  /** Of the phone, and of the name server. */
  readonly address: string;
  readonly dns: { readonly address: string; readonly port: number };
  readonly expires: number;
}

export interface PhoneUnderTest {
  dial(user: string): void;
  hangUp(): void;
}

/** Who registers and calls. */
export const CALLER = "2001";

const CLI = join(import.meta.dirname, "..", "..", "cli.js");
const PHONE_PORT = 5066;
/** Longer than any call here. */
const SPOKEN_SECONDS = 5;
const SPOKEN_HERTZ = 440;
const CONTROL_TRIES = 200;

/** Programs of others that a phone needs; ours needs none. */
export const PROGRAMS: Readonly<Partial<Record<PhoneName, string>>> = {
  baresip: "baresip",
  linphone: "linphonec",
};

/** It runs when this resolves; registering goes on. */
export async function startPhone(name: PhoneName, station: Station): Promise<PhoneUnderTest> {
  mkdirSync(station.folder, { recursive: true });
  if (name === "baresip") return await baresip(station);
  if (name === "linphone") return await linphone(station);
  const { suffix, text } = FILES[name];
  const config = join(station.folder, `phone${suffix}`);
  writeFileSync(config, text(station));
  return await dialtone(station, config);
}

/** Our own phone, its answer to calls as its defaults are. */
export async function dialtone(
  { crew, address, dns }: Pick<Station, "crew" | "address" | "dns">,
  config: string,
): Promise<PhoneUnderTest> {
  const asking = ["--dns", `${dns.address}:${dns.port}`, "--bind", address];
  const args = [CLI, "phone", "--config", config, ...asking, "--json", "--control"];
  const program = process.execPath;
  const member = await crew.start(undefined, { program, args, ready: /phone\.started/ });
  const order = (control: object): void => member.write(`${JSON.stringify(control)}\n`);
  return {
    dial: (user) => order({ do: "call", to: user }),
    hangUp: () => order({ do: "hangup" }),
  };
}

interface PhoneFile {
  /** By which its dialect is known. */
  readonly suffix: string;
  text(station: Station): string;
}

/** The defaults of our own dialect, and as sample files of both makers have it: one name, and back by duration. */
const FILES: Readonly<Record<Exclude<PhoneName, "baresip" | "linphone">, PhoneFile>> = {
  dialtone: { suffix: ".yaml", text: (station) => native(station) },
  probing: { suffix: ".yaml", text: (station) => native(station, "    registrar-probe: 2 s\n") },
  yealink: { suffix: ".cfg", text: yealink },
  polycom: { suffix: ".xml", text: polycom },
};

function native({ domain, expires }: Station, more = ""): string {
  return `accounts:
  - user: "${CALLER}"
    domain: ${domain}
    password: none
    servers: [{ address: ${domain}, expires: ${expires} s }]
${more}`;
}

function yealink({ domain, expires }: Station): string {
  return `#!version:1.0.0.1
account.1.enable = 1
account.1.user_name = ${CALLER}
account.1.auth_name = ${CALLER}
account.1.password = none
account.1.sip_server.1.address = ${domain}
account.1.sip_server.1.port = 0
account.1.sip_server.1.transport_type = 3
account.1.sip_server.1.expires = ${expires}
account.1.sip_server.1.retry_counts = 3
account.1.sip_server.1.failback_mode = 3
account.1.sip_server.1.failback_timeout = 120
account.1.sip_server.1.register_on_enable = 1
account.1.naptr_build = 1
`;
}

function polycom({ domain, expires }: Station): string {
  return `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<polycomConfig>
  <voIpProt
    voIpProt.server.1.address="${domain}"
    voIpProt.server.1.port="0"
    voIpProt.server.1.transport="DNSnaptr"
    voIpProt.server.1.expires="${expires}"
    voIpProt.server.1.expires.overlap="${Math.min(60, expires / 2)}"
    voIpProt.server.1.retryMaxCount="3"
    voIpProt.server.1.retryTimeOut="0"
    voIpProt.server.1.failOver.reRegisterOn="1"
    voIpProt.server.1.failOver.failBack.mode="duration"
    voIpProt.server.1.failOver.failBack.timeout="120"/>
  <reg reg.1.address="${CALLER}" reg.1.auth.userId="${CALLER}" reg.1.auth.password="none"/>
</polycomConfig>
`;
}

/** Steered over its control port, which is not there before its modules are loaded, and nothing tells of that. */
async function baresip(station: Station): Promise<PhoneUnderTest> {
  const { crew, folder, domain, address, dns, expires } = station;
  const plan = { address, dns: `${dns.address}:${dns.port}`, instance: false };
  const account = `<sip:${CALLER}@${domain};transport=udp>;regint=${expires};auth_pass=none\n`;
  mkdirSync(join(folder, "heard"));
  writeFileSync(join(folder, "spoken.wav"), spokenTone(SPOKEN_HERTZ, SPOKEN_SECONDS));
  writeFileSync(join(folder, "config"), baresipConfiguration(folder, plan));
  writeFileSync(join(folder, "accounts"), account);
  writeFileSync(join(folder, "contacts"), "");
  const program = findCommand("baresip") ?? "baresip";
  const member = await crew.start(undefined, { program, args: ["-f", folder, "-4"] });
  for (let attempt = 0; attempt < CONTROL_TRIES; attempt += 1) {
    const line = await dialPort(address, CONTROL_PORT);
    if (line !== undefined) {
      const control = new BaresipControl(line, () => undefined);
      return {
        dial: (user) => control.command("dial", `sip:${user}@${domain}`),
        hangUp: () => control.command("hangup", ""),
      };
    }
    await pause(50);
  }
  throw new Error(`baresip cannot be steered: ${member.output}`);
}

/** Steered over its standard input, as a person would. */
async function linphone({ crew, folder, domain, expires }: Station): Promise<PhoneUnderTest> {
  for (const below of [".local/share/linphone", ".config/linphone"]) {
    mkdirSync(join(folder, below), { recursive: true });
  }
  const file = join(folder, "linphonerc");
  const config = [
    ...["[sip]", `sip_port=${PHONE_PORT}`, "use_ipv6=0", "default_proxy=0", "publish_presence=0"],
    ...["guess_hostname=0", "register_only_when_network_is_up=0", "auto_net_state_mon=0"],
    ...["[net]", "dns_srv_enabled=1", "[sound]", "playback_dev_id=", "[video]", "enabled=0"],
    ...["[proxy_0]", `reg_proxy=<sip:${domain};transport=udp>`, "reg_sendregister=1", "publish=0"],
    ...[`reg_identity=sip:${CALLER}@${domain}`, `reg_expires=${expires}`, "dial_escape_plus=0", ""],
  ];
  writeFileSync(file, config.join("\n"));
  const program = findCommand("linphonec") ?? "linphonec";
  const args = [`HOME=${folder}`, "LANG=C", program, "-c", file, "-d", "0"];
  const member = await crew.start(undefined, { program: "env", args });
  member.write("soundcard use files\n");
  return {
    dial: (user) => member.write(`call sip:${user}@${domain}\n`),
    hangUp: () => member.write("terminate\n"),
  };
}
