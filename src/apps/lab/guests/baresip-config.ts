/** baresip without a sound card: it says what a WAV file says, and keeps what it hears in files. */
import { existsSync } from "node:fs";
import { CONTROL_PORT } from "./baresip-control.ts";

/** Where systems keep its modules. */
const MODULES = [
  "/usr/lib/baresip/modules",
  "/usr/local/lib/baresip/modules",
  "/usr/lib64/baresip/modules",
  "/usr/lib/x86_64-linux-gnu/baresip/modules",
  "/usr/lib/aarch64-linux-gnu/baresip/modules",
];

export interface BaresipPlan {
  readonly address: string;
  /** `HOST:PORT`; that of the system if left out. */
  readonly dns?: string;
  /** A PEM file of the authority that it believes. */
  readonly authority?: string;
  /** It has an instance, as RFC 5626 wants one. */
  readonly instance: boolean;
  /** Further applications, `mwi.so` for one. */
  readonly applications?: readonly string[];
}

/**
 * Its `config`. No device is opened: what is heard goes into the filter that keeps it in `heard`, and then nowhere; what it
 * says stands in `spoken.wav`.
 * @param folder that of `spoken.wav` and `heard`.
 */
export function baresipConfiguration(folder: string, plan: BaresipPlan): string {
  const { address, dns, authority, instance, applications = [] } = plan;
  const modules = ["g711.so", "aubridge.so", "aufile.so", "sndfile.so"];
  return [
    "poll_method epoll",
    `sip_listen ${address}:5060`,
    `net_interface ${address}`,
    ...(dns === undefined ? [] : [`dns_server ${dns}`]),
    ...(authority === undefined ? [] : [`sip_cafile ${authority}`]),
    `module_path ${MODULES.find(existsSync) ?? MODULES[0]}`,
    `audio_source aufile,${folder}/spoken.wav`,
    "audio_player aubridge,nowhere",
    "audio_alert aubridge,nowhere",
    `snd_path ${folder}/heard`,
    `ctrl_tcp_listen ${address}:${CONTROL_PORT}`,
    ...modules.map((name) => `module ${name}`),
    ...(instance ? ["module_tmp uuid.so"] : []),
    ...["account.so", "menu.so", "ctrl_tcp.so", ...applications].map(
      (name) => `module_app ${name}`,
    ),
    "",
  ].join("\n");
}
