/** `dialtone serve`: a registrar and call server. */
import type { Command } from "commander";
import { EXIT, exitWith } from "./exit.ts";
import { openServe } from "./serve/open.ts";
import type { ServeFlags } from "./serve/options.ts";

export function addServeCommand(program: Command): void {
  program
    .command("serve")
    .description("run a registrar and call server")
    .option("--listen <transport:addr:port...>", "where to listen: udp, tcp, tls, ws or wss")
    .option("--domain <name...>", "the domains of the users; the first is the realm")
    .option("--role <role>", "working: everything; fallback: basic calls only", "working")
    .option("--users <file>", "YAML of user to password or ha1, voicemail, groups")
    .option("--open", "let everybody in without a password")
    .option("--digest <algorithms>", "in challenges: md5, sha-256,md5 or sha-256", "md5")
    .option("--store <store>", "memory, a folder, redis://… or rediss://…", "memory")
    .option("--name <node>", "the name of this node")
    .option("--http <host:port>", "health, metrics and registrations; DIALTONE_TOKEN lets change")
    .option("--dns <host:port...>", "ask these resolvers instead of the system's")
    .option("--advertise <address>", "what peers are told when listening on every address")
    .option("--service-route <uri>", "the route that registered phones are told to use (RFC 3608)")
    .option("--certificate <file>", "PEM certificate chain for tls and wss")
    .option("--key <file>", "PEM key for tls and wss")
    .option("--ca <file...>", "PEM authorities to believe, instead of those that Node knows")
    .option("--clients <mode>", "certificates of those who connect: anonymous, asked or demanded")
    .option("--min-expires <seconds>", "the shortest registration granted (10)")
    .option("--max-expires <seconds>", "the longest registration granted (7200)")
    .option("--spread <percent>", "shorten registrations by up to so much, 0 to 50 (0)")
    .option("--retry-within <seconds>", "who is refused in an overload is asked back within (300)")
    .option("--accept-foreign", "callers of other domains reach users without a password")
    .option("--clock-skew <seconds>", "go by a clock that is ahead, or behind if negative (0)")
    .option("--json", "one JSON object a line on stdout")
    .option("--trace", "also every SIP message, as events")
    .option("--control", "take commands as JSON lines on stdin")
    .action(runServe);
}

async function runServe(flags: ServeFlags): Promise<void> {
  const opened = await openServe(flags);
  if (opened.kind === "wrong") exitWith(EXIT.wrongInput, ...opened.lines);
  if (opened.kind === "missing") exitWith(EXIT.missing, opened.line);
  process.exit(await opened.session.run());
}
