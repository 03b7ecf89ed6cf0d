/**
 * Every kind of finding that reading provisioning files can come to, by a code that never changes: what it tells, and
 * which documented trap it is (C1–C44, D1–D14 and themes as docs/explain.md lists them; "" if it is plain syntax).
 */

export type FindingCode =
  | SyntaxCode
  | "unknown-key"
  | "unfilled-placeholder"
  | "duplicate-key"
  | "blank-duplicate"
  | "wrong-number"
  | "bad-value"
  | "out-of-range"
  | "adjusted-value"
  | "key-letters"
  | "beyond-family"
  | AccountCode
  | ConditionCode
  | TrapCode;

/** What keeps a file from being read as it was meant. */
type SyntaxCode =
  | "file-unfit"
  | "mixed-dialects"
  | "not-read"
  | "version-line"
  | "byte-order-mark"
  | "include-not-followed";

/** What an account lacks. */
type AccountCode =
  | "no-account"
  | "no-server"
  | "no-user"
  | "not-switched-on"
  | "missing-server"
  | "proxy-without-address"
  | "incomplete-record"
  | "srv-name";

/** What is legal by itself and cannot work beside the rest. */
type ConditionCode =
  | "failback-on-address"
  | "condition-missing"
  | "naptr-on-address"
  | "naptr-with-port"
  | "zero-wait"
  | "cap-below-base"
  | "hidden-global"
  | "server-1-counts";

/** What works and does harm when a server dies. */
type TrapCode =
  | "single-address"
  | "same-server"
  | "concurrent-with-srv"
  | "shared-proxy"
  | "secondary-transport"
  | "port-for-transport"
  | "probe-against-expiry"
  | "probe-storm"
  | "start-storm"
  | "retry-storm"
  | "refresh-storm"
  | "many-registrations"
  | "registers-nowhere"
  | "no-keepalive"
  | "slow-keepalive"
  | "ttl-too-long"
  | "late-return"
  | "never-back"
  | "never-idle"
  | "divided-return"
  | "lost-subscription"
  | "held-call-ends"
  | "retries-beyond-end"
  | "slow-failover"
  | "slow-dns"
  | "no-dns-cache"
  | "unused-record"
  | "no-failover-on-503"
  | "failover-on-answer"
  | "tls-to-address"
  | "long-lifetime"
  | "overlap-beyond-lifetime";

export interface Finding {
  /** What it tells, in one line. */
  readonly tells: string;
  /** The documented trap behind it; "": none, the file is simply wrong. */
  readonly trap: string;
}

const of = (tells: string, trap = ""): Finding => ({ tells, trap });

/** In the order of docs/explain.md. */
export const FINDINGS: Readonly<Record<FindingCode, Finding>> = {
  "file-unfit": of("the file is empty or too big"),
  "mixed-dialects": of("files of two families were given"),
  "not-read": of("the text is no line of the family, no XML or no YAML at this place"),
  "version-line": of("the first line is not the one that phones want"),
  "byte-order-mark": of("a byte-order mark stands before the version line"),
  "include-not-followed": of("another file is named, and is to be named with --config"),
  "unknown-key": of("a key that looks like ours and is none"),
  "unfilled-placeholder": of("a template's placeholder was never filled in"),
  "duplicate-key": of("a key is set twice in one file; the later line counts", "C2"),
  "blank-duplicate": of("a later blank line undoes a value", "C2"),
  "wrong-number": of("a key of one server stands among those of another, which lacks it", "C2"),
  "bad-value": of("the value is none that the key can have"),
  "out-of-range": of("a number or time is outside its range"),
  "adjusted-value": of("the value is read as another one, as the manuals say"),
  "key-letters": of("a key in other letters than the manuals', and XML tells them apart"),
  "beyond-family": of("the family has no server, account or record of that number"),
  "no-account": of("no account is switched on"),
  "no-server": of("an account has no server"),
  "no-user": of("an account has no user"),
  "not-switched-on": of("an account has a server and is off"),
  "missing-server": of("there is a server or proxy 2 and none of number 1"),
  "proxy-without-address": of("the outbound proxy is on and has no address"),
  "incomplete-record": of("a static DNS record lacks a part"),
  "srv-name": of("a server is called by the name of SRV records, which has no address"),
  "failback-on-address": of("failback is set for a literal address", "never fails back"),
  "condition-missing": of("the key needs another one to work", "never fails back, C40"),
  "naptr-on-address": of("NAPTR is set for a literal address", "D5"),
  "naptr-with-port": of("NAPTR is set and a port keeps it from being asked", "D4"),
  "zero-wait": of("0 would leave no pause", "storm"),
  "cap-below-base": of("the cap of a back-off is below its base", "storm"),
  "hidden-global": of("an own row hides a global value that it does not repeat", "C2"),
  "server-1-counts": of("what server 1 says holds for all servers, and this says otherwise"),
  "single-address": of("nothing is left when the one address fails", "C8"),
  "same-server": of("one server stands in two places", "C44"),
  "concurrent-with-srv": of("two registrations and failover by SRV are mixed", "C42, C1"),
  "shared-proxy": of("one outbound proxy stands before both servers", "C41"),
  "secondary-transport": of("the second server lacks the transport of the first", "TLS"),
  "port-for-transport": of("the port is that of another transport", "C12"),
  "probe-against-expiry": of("probes and lifetimes do not fit each other", "clock of probe"),
  "probe-storm": of("the probes of a fleet are a load", "storm, C22, C6"),
  "start-storm": of("a fleet registers at one moment when power returns", "storm, C22"),
  "retry-storm": of("a fleet tries again in step", "storm, C22"),
  "refresh-storm": of("renewals of a fleet are a load", "storm, C22"),
  "many-registrations": of("lines times servers are renewed", "storm"),
  "registers-nowhere": of("no call can come in", "C7"),
  "no-keepalive": of("a dead path is found at the next renewal only", "C11, C31, C32"),
  "slow-keepalive": of("the keep-alive is rarer than a NAT forgets", "NAT pinhole, C31"),
  "ttl-too-long": of("failback waits for a TTL of more than a day", "C3"),
  "late-return": of("the return waits for hours", "C3"),
  "never-back": of("by time the phone never returns", "C3"),
  "never-idle": of("a phone that is never idle never returns", "never fails back"),
  "divided-return": of("calls return before the registration", "C1, split brain"),
  "lost-subscription": of("what is subscribed to stays with the failed server", "C1, C26"),
  "held-call-ends": of("hold or resume ends a call after a failover", "C40"),
  "retries-beyond-end": of("resends that come after the end", "C14, D14"),
  "slow-failover": of("a silent server is left late", "C12, C14"),
  "slow-dns": of("a silent resolver is given up late", "C39"),
  "no-dns-cache": of("each call needs the resolver", "C39"),
  "unused-record": of("a static record that no look-up comes to", "DNS caching"),
  "no-failover-on-503": of("a server that answers 503 keeps all calls", "503, C19"),
  "failover-on-answer": of("the callee's own answer sends the call on", "duplicate ringing, C19"),
  "tls-to-address": of("a certificate would have to name an address", "TLS"),
  "long-lifetime": of("a binding outlives its phone by more than a day", "incoming lost"),
  "overlap-beyond-lifetime": of("the renewal lead is beyond the lifetime", "C22"),
};
