/** The rows of the decision table: every combination of each dialect's switches, as its files write them. */
import type { Dialect } from "../../../core/redundancy/policy-defaults.ts";

/** A switch as it is written, and its values. */
export interface Switch {
  readonly key: string;
  readonly values: readonly string[];
}

export interface Row {
  readonly dialect: Dialect;
  /** One for each switch of the dialect. */
  readonly values: readonly string[];
}

export const SWITCHES: Readonly<Record<Dialect, readonly Switch[]>> = {
  yealink: [
    { key: "fallback.redundancy_type", values: ["0", "1"] },
    { key: "failback_mode", values: ["0", "1", "2", "3"] },
    { key: "register_on_enable", values: ["0", "1"] },
    { key: "only_signal_with_registered", values: ["0", "1"] },
  ],
  polycom: [
    { key: "failBack.mode", values: ["newRequests", "DNSTTL", "registration", "duration"] },
    { key: "reRegisterOn", values: ["0", "1"] },
    { key: "failRegistrationOn", values: ["0", "1"] },
    { key: "onlySignalWithRegistered", values: ["0", "1"] },
    { key: "failoverOn503Response", values: ["0", "1"] },
  ],
  native: [
    { key: "registration", values: ["concurrent", "successive"] },
    { key: "hedge", values: ["0", "1 s"] },
    { key: "skip-known-dead", values: ["no", "yes"] },
  ],
};

export const PRIMARY = "192.0.2.13";
export const SECONDARY = "192.0.2.14";
export const FALLBACK = "192.0.2.15";
export const NAME = "pbx.example.com";
export const USER = "2001";
const PASSWORD = "s3cret-2001";

export function allRows(): Row[] {
  return (["yealink", "polycom", "native"] as const).flatMap((dialect) =>
    combinations(SWITCHES[dialect]).map((values) => ({ dialect, values })),
  );
}

export function rowName({ dialect, values }: Row): string {
  return `${dialect} ${SWITCHES[dialect].map(({ key }, at) => `${key}=${values[at]}`).join(" ")}`;
}

/** The provisioning file of a row. */
export function fileOf(row: Row): { readonly name: string; readonly text: string } {
  switch (row.dialect) {
    case "yealink":
      return { name: "row.cfg", text: yealinkText(row.values) };
    case "polycom":
      return { name: "row.xml", text: polycomText(row.values) };
    case "native":
      return { name: "row.yaml", text: nativeText(row.values) };
  }
}

function combinations(switches: readonly Switch[]): string[][] {
  const [first, ...others] = switches;
  if (first === undefined) return [[]];
  const rest = combinations(others);
  return first.values.flatMap((value) => rest.map((values) => [value, ...values]));
}

function yealinkText(values: readonly string[]): string {
  const [redundancy, mode, register, only] = values;
  const server = (number: number): string => `account.1.sip_server.${number}`;
  return [
    "#!version:1.0.0.1",
    "account.1.enable = 1",
    `account.1.user_name = ${USER}`,
    `account.1.auth_name = ${USER}`,
    `account.1.password = ${PASSWORD}`,
    "account.1.nat.udp_update_enable = 0",
    "account.1.reg_fail_retry_interval = 30",
    `account.1.fallback.redundancy_type = ${redundancy}`,
    "account.1.fallback.timeout = 30",
    `${server(1)}.address = ${NAME}`,
    `${server(1)}.expires = 60`,
    `${server(1)}.failback_mode = ${mode}`,
    ...(mode === "3" ? [`${server(1)}.failback_timeout = 60`] : []),
    `${server(1)}.register_on_enable = ${register}`,
    `${server(1)}.only_signal_with_registered = ${only}`,
    `${server(2)}.address = ${FALLBACK}`,
    `${server(2)}.expires = 60`,
  ].join("\n");
}

function polycomText(values: readonly string[]): string {
  const [mode, register, fail, only, busy] = values;
  const first = "reg.1.server.1";
  const second = "reg.1.server.2";
  const pairs = {
    "reg.1.address": USER,
    "reg.1.auth.userId": USER,
    "reg.1.auth.password": PASSWORD,
    [`${first}.address`]: NAME,
    [`${first}.port`]: "5060",
    [`${first}.transport`]: "UDPOnly",
    [`${first}.expires`]: "60",
    [`${first}.expires.overlap`]: "30",
    [`${first}.failOver.failBack.mode`]: mode,
    [`${first}.failOver.failBack.timeout`]: "60",
    [`${first}.failOver.reRegisterOn`]: register,
    [`${first}.failOver.failRegistrationOn`]: fail,
    [`${first}.failOver.onlySignalWithRegistered`]: only,
    [`${second}.address`]: FALLBACK,
    [`${second}.port`]: "5060",
    [`${second}.transport`]: "UDPOnly",
    [`${second}.expires`]: "60",
    [`${second}.expires.overlap`]: "30",
    "voIpProt.SIP.failoverOn503Response": busy,
    "nat.keepalive.interval": "0",
  };
  const attributes = Object.entries(pairs).map(([key, value]) => `${key}="${value}"`);
  return `<handsetConfig><all ${attributes.join(" ")}/></handsetConfig>`;
}

function nativeText(values: readonly string[]): string {
  const [registration, hedge, dead] = values;
  return [
    "accounts:",
    `  - user: "${USER}"`,
    `    password: ${PASSWORD}`,
    `    registration: ${registration}`,
    `    hedge: ${hedge}`,
    `    skip-known-dead: ${dead}`,
    "    probe-interval: 30 s",
    "    refresh-jitter: 0",
    "    return-spread: 0",
    "    keep-alive: 0",
    "    registrar-probe: 0",
    "    servers:",
    `      - { address: ${NAME}, port: 5060, transport: udp, expires: 60 s, overlap: half, failback-after: 60 s }`,
    `      - { address: ${FALLBACK}, port: 5060, transport: udp, expires: 60 s, overlap: half }`,
  ].join("\n");
}
