/**
 * A network namespace for one node: its loopback interface, and a line on which every packet that leaves it comes
 * here as it is, and whatever is put arrives there. The line is a TUN device of Linux, held by a few lines of Perl
 * since Node opens none; packets pass in frames of a length (two bytes) and as many bytes. The namespace has no name
 * and ends with the last process in it: nothing is left behind, whatever becomes of the lab.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants } from "node:fs";
import { Duplex } from "node:stream";
import { findCommand } from "../guests/find-command.ts";

/** As long as on a loopback interface: no datagram of SIP comes in pieces. */
const LONGEST_PACKET = 65_535;

/** Its requests are those of linux/sockios.h and linux/if_tun.h; the first frame, an empty one, says: ready. */
const SCRIPT = `use strict;
use Socket;
my ($address) = @ARGV;
open(my $line, '+<', '/dev/net/tun') or die "/dev/net/tun: $!\\n";
my $wanted = pack('a16 S x22', 'line', 0x1001);
ioctl($line, 0x400454ca, $wanted) or die "TUNSETIFF: $!\\n";
socket(my $asked, PF_INET, SOCK_DGRAM, 0) or die "socket: $!\\n";
sub ask {
  my ($request, $name, $what) = @_;
  my $said = pack('a16 a24', $name, $what);
  ioctl($asked, $request, $said) or die sprintf("%x: %s\\n", $request, $!);
}
sub place { return pack('S n a4', AF_INET, 0, inet_aton($_[0])) }
ask(0x8914, 'lo', pack('s', 0x49));
ask(0x8916, 'line', place($address));
ask(0x891c, 'line', place('255.255.255.0'));
ask(0x8922, 'line', pack('i', ${LONGEST_PACKET}));
ask(0x8914, 'line', pack('s', 0xd1));
sub emit {
  my ($frame) = @_;
  while (length $frame) {
    my $taken = syswrite(STDOUT, $frame) or exit;
    substr($frame, 0, $taken) = '';
  }
}
emit(pack('n', 0));
my ($said, $packet) = ('', '');
for (;;) {
  my $ready = '';
  vec($ready, 0, 1) = 1;
  vec($ready, fileno($line), 1) = 1;
  select($ready, undef, undef, undef);
  if (vec($ready, fileno($line), 1) and my $size = sysread($line, $packet, 65536)) {
    emit(pack('n', $size) . $packet);
  }
  next unless vec($ready, 0, 1);
  sysread(STDIN, $said, 65536, length $said) or exit;
  while (length $said >= 2) {
    my $size = unpack('n', $said);
    last if length $said < 2 + $size;
    syswrite($line, substr($said, 2, $size));
    substr($said, 0, 2 + $size) = '';
  }
}
`;

/** A connection to a port of its node, for whoever stands outside; the first byte says that it stands. */
const DIAL_SCRIPT = `use strict;
use Socket;
socket(my $peer, PF_INET, SOCK_STREAM, 0) or die "socket: $!\n";
connect($peer, sockaddr_in($ARGV[1], inet_aton($ARGV[0]))) or exit 1;
syswrite(STDOUT, '+');
my $bytes;
for (;;) {
  my $ready = '';
  vec($ready, 0, 1) = 1;
  vec($ready, fileno($peer), 1) = 1;
  select($ready, undef, undef, undef);
  for ([*STDIN, $peer], [$peer, *STDOUT]) {
    my ($from, $to) = @$_;
    next unless vec($ready, fileno($from), 1);
    sysread($from, $bytes, 65536) or exit;
    syswrite($to, $bytes);
  }
}
`;

const DEVICE = "/dev/net/tun";
/** All of them are part of every Debian. */
const TOOLS = ["unshare", "nsenter", "perl"] as const;

/** A program and how it is called. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
}

export class Cell {
  readonly address: string;
  readonly #process: ChildProcess;
  readonly #carried: (packet: Uint8Array) => void;
  readonly #ended: Promise<void>;
  #held: Uint8Array = new Uint8Array();
  #ready: () => void = () => undefined;
  #said = "";

  private constructor(address: string, carried: (packet: Uint8Array) => void) {
    this.address = address;
    this.#carried = carried;
    // In a session of its own: a terminal's Ctrl-C must not cut the line before the phones have taken their leave.
    this.#process = spawn("unshare", ["--net", "perl", "-e", SCRIPT, address], {
      detached: true,
      stdio: ["pipe", "pipe", "pipe"],
    });
    const { stdin, stdout, stderr } = this.#process;
    stdout?.on("data", (chunk: Uint8Array) => this.#read(chunk));
    stderr?.on("data", (chunk: Uint8Array) => {
      this.#said = (this.#said + String(chunk)).slice(-500);
    });
    // It ends when its input does; what was put after that is lost, as on any network.
    stdin?.on("error", () => undefined);
    this.#ended = new Promise((done) => {
      this.#process.once("close", done);
      this.#process.once("error", (error) => {
        this.#said = error.message;
        done();
      });
    });
  }

  /**
   * @param address that of its one node; the 254 others beside it are reached over the line.
   * @param carried told of each packet that leaves it.
   * @throws Error when the system has no such thing, or does not allow it.
   */
  static async open(address: string, carried: (packet: Uint8Array) => void): Promise<Cell> {
    const cell = new Cell(address, carried);
    const ready = new Promise<boolean>((done) => {
      cell.#ready = () => done(true);
      void cell.#ended.then(() => done(false));
    });
    if (await ready) return cell;
    throw new Error(cell.#said.trim());
  }

  /** For `/proc/PID/net`: what it shows is that of everybody in there. */
  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** The command that runs another one in there, with the same process id. */
  command({ program, args }: Command): Command {
    return { program: "nsenter", args: [`--net=/proc/${this.pid}/ns/net`, program, ...args] };
  }

  /** @returns undefined when nobody listens at that port of its node. */
  async dial(port: number): Promise<Duplex | undefined> {
    const { program, args } = this.command({
      program: "perl",
      args: ["-e", DIAL_SCRIPT, this.address, String(port)],
    });
    const { stdin, stdout } = spawn(program, args, { stdio: ["pipe", "pipe", "ignore"] });
    const line = Duplex.from({ writable: stdin, readable: stdout });
    // It ends with either side; what was said after that is lost.
    for (const side of [stdin, stdout, line]) side.on("error", () => undefined);
    await once(line, "readable");
    return line.read(1) === null ? undefined : line;
  }

  /** It arrives there. */
  put(packet: Uint8Array): void {
    const frame = new Uint8Array(2 + packet.length);
    frame[0] = packet.length >> 8;
    frame[1] = packet.length;
    frame.set(packet, 2);
    this.#process.stdin?.write(frame);
  }

  async close(): Promise<void> {
    this.#process.stdin?.end();
    await this.#ended;
  }

  #read(chunk: Uint8Array): void {
    const held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    let at = 0;
    while (at + 2 <= held.length) {
      const end = at + 2 + (((held[at] as number) << 8) | (held[at + 1] as number));
      if (end > held.length) break;
      if (end === at + 2) this.#ready();
      else this.#carried(held.subarray(at + 2, end));
      at = end;
    }
    this.#held = held.subarray(at);
  }
}

let lack: string | undefined;
let looked = false;

/** Why no node can have a network of its own here, and what to do about it; undefined: it can. */
export function whatCellsLack(): string | undefined {
  if (!looked) lack = lookWhatLacks();
  looked = true;
  return lack;
}

function lookWhatLacks(): string | undefined {
  if (process.platform !== "linux") return "needs network namespaces, which Linux has";
  const absent = TOOLS.filter((tool) => findCommand(tool) === undefined);
  if (absent.length > 0) return `needs ${absent.join(" and ")}; install util-linux and perl-base`;
  try {
    accessSync(DEVICE, constants.R_OK | constants.W_OK);
  } catch {
    return `needs ${DEVICE} to read and write; be root, and let the system load its module: modprobe tun`;
  }
  // Its input has ended: it sets everything up and goes.
  const args = ["--net", "perl", "-e", SCRIPT, "192.0.2.1"];
  const { status, stderr } = spawnSync("unshare", args, { input: "", encoding: "utf8" });
  if (status === 0) return undefined;
  const [why = ""] = stderr.trim().split("\n");
  return `needs network namespaces (${why}); be root, or the root of a user namespace: unshare -Urn sh -c 'ip link set lo up; dialtone lab …'`;
}
