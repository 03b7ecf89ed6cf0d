/** What public templates do to a file: each slip is one finding at its line, and what is no slip is none. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readConfiguration } from "../../../src/core/provisioning/read.ts";
import { reading } from "./samples.ts";

const YEALINK = [
  "#!version:1.0.0.1",
  "account.1.enable = 1",
  "account.1.user_name = 2001",
  "account.1.password = pass-2001",
  "account.1.sip_server.1.address = 192.0.2.13",
  "account.1.sip_server.1.port = 5060",
  "account.1.sip_server.1.transport_type = 0",
  "account.1.sip_server.1.expires = 900",
  "account.1.sip_server.2.address = 192.0.2.15",
  "account.1.sip_server.2.port = 5060",
  "account.1.sip_server.2.transport_type = 0",
  "account.1.sip_server.2.expires = 900",
  "account.1.fallback.redundancy_type = 1",
  "account.1.fallback.timeout = 60",
  "account.1.nat.udp_update_enable = 1",
].join("\n");

const POLYCOM = [
  '<?xml version="1.0" standalone="yes"?>',
  "<PHONE_CONFIG>",
  "<REGISTRATION",
  ' reg.1.address="4101"',
  ' reg.1.auth.password="pass-4101"',
  ' reg.1.server.1.address="192.0.2.13"',
  ' reg.1.server.1.port="5060"',
  ' reg.1.server.1.transport="UDPOnly"',
  ' reg.1.server.2.address="192.0.2.15"',
  ' reg.1.server.2.port="5060"',
  ' reg.1.server.2.transport="UDPOnly"',
  ' nat.keepalive.interval="30"',
  "/>",
  "</PHONE_CONFIG>",
].join("\n");

/** `severity code line` of what is found in the file with `wrong` in the place of `right`. */
function found(text: string, right: string | RegExp = "", wrong = ""): string[] {
  const changed = text.replace(right, () => wrong);
  if (right !== "") assert.notEqual(changed, text, String(right));
  return reading(changed).faults.map(({ severity, code, line }) => `${severity} ${code} ${line}`);
}

test("the files themselves have nothing", () => {
  assert.deepEqual(found(YEALINK), []);
  assert.deepEqual(found(POLYCOM), []);
});

test("placeholders of every template language are told as such, in passwords where they are all", () => {
  for (const placeholder of [
    "{$server_2}",
    "{{ server_2 }}",
    "{% $SERVER_2 xml %}",
    "{SIP_SERVER_2}",
    "{if isset($s)}{$s}{else}0{/if}",
    "<?php print $proxy;?>",
    "<%= server_2 %>",
    "[% server_2 %]",
    "[[server_2]]",
    "[SERVER_2]",
    "$" + "{server_2}",
    "#{server_2}",
    "$server_2",
    "%%server_2%%",
    "__server_2__",
    "@@SERVER_2@@",
    "@SERVER_2@",
    "%SERVER_2%",
    "#XIVO_SERVER_2#",
  ]) {
    const error = "error unfilled-placeholder";
    assert.deepEqual(found(YEALINK, "192.0.2.15", placeholder), [`${error} 9`], placeholder);
    assert.deepEqual(found(POLYCOM, "192.0.2.15", placeholder), [`${error} 9`], placeholder);
  }
  for (const password of ["{{ password }}", "{$password}", "{SIP_PASSWORD}", "<?= $password ?>"]) {
    for (const text of [YEALINK, POLYCOM]) {
      const { faults } = reading(text.replace(/pass-\d+/, () => password));
      assert.equal(faults[0]?.code, "unfilled-placeholder");
      assert.equal(faults.length, 1, password);
      assert.match(faults[0]!.wrong, /^\*\*\* is/);
    }
  }
  for (const password of ["a{b}c", "{x}9__a__", "$2y$10", "%a%", "@home@", "#1#"]) {
    assert.deepEqual(found(YEALINK, "pass-2001", password), [], password);
  }
  assert.deepEqual(found(YEALINK, "account.1.enable", "{if $a}\naccount.1.enable"), [
    "error unfilled-placeholder 2",
  ]);
  assert.deepEqual(found(POLYCOM, " reg.1.server.2.port", " {if $a}reg.1.server.2.port"), [
    "error unfilled-placeholder 10",
  ]);
});

test("keys of the makers' own that are spelled much like ours are no slips", () => {
  const others = [
    "account.1.sip_server_mode = 0",
    "account.1.sip_server_type = 0",
    "account.1.subscribe_mwi_expires = 3600",
    "account.1.backup_sip_server_host =",
    "account.1.backup_sip_server_port = 5060",
    "account.1.reg_with_pani_header.enable =",
    "account.1.blf_list_uri =",
    "static.network.redundancy.mode =",
    "static.network.redundancy.failback.timeout =",
    "static.network.wifi.primary_dns =",
    "static.syslog.transport_type = 1",
    "static.auto_provision.dns_resolv_timeout =",
  ];
  assert.deepEqual(found(`${YEALINK}\n${others.join("\n")}`), []);
});

test("a key among ours is told with the one that is meant, and nothing follows from it", () => {
  const cases: readonly (readonly [key: string, wrong: string, meant: string])[] = [
    ["sip_server.2.transport_type", "sip_server.2.transport", "sip_server.2.transport_type"],
    ["fallback.redundancy_type", "redundancy_type", "fallback.redundancy_type"],
    ["sip_server.2.address", "sip_server.2.ip", "sip_server.2.address"],
    ["sip_server.2.address", "sip_server.Y.address", "sip_server.1.address"],
  ];
  for (const [key, wrong, meant] of cases) {
    const text = YEALINK.replace(`account.1.${key} `, `account.1.${wrong} `);
    const { faults } = reading(text);
    assert.deepEqual(
      faults.filter(({ code }) => code !== "single-address").map(({ code }) => code),
      ["unknown-key"],
      wrong,
    );
    assert.ok(
      faults.some(({ remedy }) => remedy.includes(`account.1.${meant}?`)),
      wrong,
    );
  }
  const name = YEALINK.replace("192.0.2.13", "pbx.example.com").replace(
    "nat.udp_update_enable = 1",
    "sip_server.1.failback_subscribe = 1",
  );
  const [fault] = reading(name).faults;
  assert.match(fault!.remedy, /account\.1\.sip_server\.1\.failback_subscribe\.enable\?/);
  assert.deepEqual(found(POLYCOM, "reg.1.server.2.address", "reg.x.server.2.address"), [
    "warning unknown-key 9",
  ]);
});

test("a line of another number is told alone, whatever it does where it stands", () => {
  const other = "account.2.fallback.timeout = 60";
  assert.deepEqual(found(YEALINK, "account.1.fallback.timeout = 60", other), [
    "warning wrong-number 14",
  ]);
  const tcp = YEALINK.replaceAll("transport_type = 0", "transport_type = 1");
  assert.deepEqual(found(tcp, "sip_server.2.transport_type", "sip_server.1.transport_type"), [
    "warning wrong-number 11",
  ]);
  const xml = POLYCOM.replaceAll("UDPOnly", "TCPOnly");
  assert.deepEqual(found(xml, "reg.1.server.2.transport", "reg.1.server.1.transport"), [
    "error wrong-number 11",
  ]);
  // Files that go by key, not by account, and blocks of accounts that are not in use.
  const byKey = ["nat.rport = 1", "fallback.timeout = 90", "sip_server.1.port = 5060"];
  const unused = byKey.flatMap((line) => [2, 3].map((number) => `account.${number}.${line}`));
  assert.deepEqual(found(`${YEALINK}\n${unused.join("\n")}\naccount.1.nat.rport = 1`), []);
});

test("what a repeated line undoes is not told beside it", () => {
  assert.deepEqual(found(`${YEALINK}\naccount.1.sip_server.2.address =`), [
    "warning blank-duplicate 16",
  ]);
  assert.deepEqual(found(`${YEALINK}\naccount.1.sip_server.2.port = 5061`), [
    "warning duplicate-key 16",
  ]);
});

test("a static record with nothing but a lifetime, port or weight is none", () => {
  const blank = [
    "a.3.ttl = 300",
    "a.3.name =",
    "srv.2.port = 0",
    "srv.2.ttl = 300",
    "naptr.1.order = 0",
  ];
  assert.deepEqual(found([YEALINK, ...blank.map((line) => `dns_cache_${line}`)].join("\n")), []);
});

test("a name of SRV records is no server, and an address that no SRV record leads to is misspelt", () => {
  assert.deepEqual(found(YEALINK, "192.0.2.15", "_sip._udp.pbx.example.com"), [
    "warning srv-name 9",
  ]);
  const records = [
    "#!version:1.0.0.1",
    "account.1.enable = 1",
    "account.1.user_name = 2001",
    "account.1.sip_server.1.address = pbx.example.com",
    "account.1.sip_server.1.port = 0",
    "account.1.sip_server.1.transport_type = 3",
    "dns_cache_srv.1.name = _sip._udp.pbx.example.com",
    "dns_cache_srv.1.target = a.example.com",
    "dns_cache_a.1.name = a.example.com",
    "dns_cache_a.1.ip = 192.0.2.13",
  ].join("\n");
  assert.deepEqual(found(records), []);
  assert.deepEqual(found(records, "a.1.name = a.", "a.1.name = aa."), ["warning unused-record 9"]);
  const live = records.replace(/dns_cache_srv.*\n/g, "");
  assert.deepEqual(found(live), [], "live answers may lead there");
});

test("a value that is refused is not held against the other server", () => {
  assert.deepEqual(found(YEALINK, /2\.expires = 900/, "2.expires = 0"), ["error out-of-range 12"]);
  const text = POLYCOM.replace(
    " reg.1.server.2.port",
    ' reg.1.server.2.expires="0"\n reg.1.server.2.port',
  );
  assert.deepEqual(found(text), ["error out-of-range 10"]);
});

test("an address with a leading zero is none: it may be read as octal", () => {
  assert.deepEqual(found(YEALINK, "192.0.2.15", "192.0.2.015"), ["error bad-value 9"]);
});

test("an outbound proxy 2 without a proxy 1 is told as with servers", () => {
  const proxies =
    "account.1.outbound_proxy_enable = 1\naccount.1.outbound_proxy.2.address = 192.0.2.34";
  const { faults } = reading(YEALINK.replace(/(?=account.1.fallback)/, `${proxies}\n`));
  assert.deepEqual(
    faults.map(({ code }) => code),
    ["missing-server"],
  );
});

test("a probe that is a storm is told once, with an interval that fits the lifetime", () => {
  const text = YEALINK.replace("timeout = 60", "timeout = 10").replaceAll("= 900", "= 3600");
  const { faults } = reading(text);
  assert.deepEqual(
    faults.map(({ code }) => code),
    ["probe-storm"],
  );
  assert.match(faults[0]!.remedy, /fallback\.timeout = 120 or more/);
});

test("a line that is none is read as it was meant, so that nothing follows from it", () => {
  for (const wrong of [
    "2.address 192.0.2.15",
    "2.address: 192.0.2.15",
    "2. address = 192.0.2.15",
  ]) {
    assert.deepEqual(found(YEALINK, "2.address = 192.0.2.15", wrong), ["error not-read 9"], wrong);
  }
});

test("broken XML is told where it breaks, and not what the rest might lack", () => {
  const cases: readonly (readonly [right: string, wrong: string, found: string])[] = [
    [' reg.1.server.2.port="5060"', ' reg.1.server.2.port="5060', "error not-read 10"],
    [
      ' reg.1.server.1.address="192',
      ' <!-- x -->\n reg.1.server.1.address="192',
      "error not-read 6",
    ],
    ["</PHONE_CONFIG>", "<PHONE_CONFIG>", "error not-read 14"],
  ];
  for (const [right, wrong, told] of cases) assert.deepEqual(found(POLYCOM, right, wrong), [told]);
});

test("a boot or master file's word on files that are given is no finding", () => {
  const codes = (files: Readonly<Record<string, string>>): (string | undefined)[] =>
    readConfiguration(Object.entries(files).map(([name, text]) => ({ name, text }))).faults.map(
      ({ code }) => code,
    );
  const boot = `#!version:1.0.0.1\ninclude:config <y000000000108.cfg>\ninclude:config "http://p.example.com/$MAC.cfg"`;
  assert.deepEqual(codes({ "y000000000000.boot": boot, "001565aabbcc.cfg": YEALINK }), [
    "include-not-followed",
  ]);
  const common = "#!version:1.0.0.1\nsip.timer_t1 = 0.5";
  const yealink = { "y000000000108.cfg": common, "conf/001565aabbcc.cfg": YEALINK };
  assert.deepEqual(codes({ "y000000000000.boot": boot, ...yealink }), []);
  const master =
    '<APPLICATION CONFIG_FILES="[PHONE_MAC_ADDRESS]-phone.cfg, site.cfg">\n' +
    '<A CONFIG_FILES_SPIP300="old.cfg"/></APPLICATION>';
  const given = { "0004f2aabbcc-phone.cfg": POLYCOM, "site.cfg": '<ALL up.headsetMode="0"/>' };
  assert.deepEqual(codes({ "000000000000.cfg": master, ...given }), []);
  assert.deepEqual(codes({ "000000000000.cfg": master, "site.cfg": given["site.cfg"] }), [
    "include-not-followed",
  ]);
});

test("that no account is switched on follows from a file that is named and was not given", () => {
  const master = '<APPLICATION\nCONFIG_FILES="reg-basic.cfg, sip-interop.cfg"/>';
  assert.deepEqual(found(master), ["error include-not-followed 2"]);
  const boot = '#!version:1.0.0.1\ninclude:config "y000000000096.cfg"';
  assert.deepEqual(found(boot), ["error include-not-followed 2"]);
  assert.deepEqual(found(`${boot}\n${YEALINK}`), ["warning include-not-followed 2"]);
});

test("placeholders in keys that change nothing are told, and the makers' own signs are none", () => {
  for (const line of [
    "account.1.label = {$label}",
    "local_time.ntp_server1 = {{ ntp }}",
    "lang.gui = <?= $language ?>",
    "static.firmware.url = $" + "{firmware}",
  ]) {
    assert.deepEqual(found(`${YEALINK}\n${line}`), ["warning unfilled-placeholder 16"], line);
  }
  const own = [
    "remote_phonebook.data.1.url = http://p.example.com/book.xml?mac=$MAC&v=1",
    "ldap.name_filter = (|(cn=%)(sn=%))",
    "account.1.dialplan.digitmap.string = <[2-9]:9>xxx|[0-9]{3}|x.T",
  ];
  assert.deepEqual(found(`${YEALINK}\n${own.join("\n")}`), []);
  const efk = ' nat.keepalive.interval="30" softkey.1.action="$P1N10$$Cpause2$$Tinvite$"';
  assert.deepEqual(found(POLYCOM, ' nat.keepalive.interval="30"', efk), []);
});

test("a value cleared again in one file is undone, and a word for nothing is no name", () => {
  const cleared = `${YEALINK}\naccount.1.fallback.redundancy_type = %NULL%`;
  assert.deepEqual(found(cleared), ["warning blank-duplicate 16"]);
  for (const word of ["null", "None", "undefined"]) {
    assert.deepEqual(found(YEALINK, "192.0.2.15", word), ["error bad-value 9"], word);
  }
});

test("a port that goes with the transport that is missing is no fault of its own", () => {
  const tls = YEALINK.replaceAll("port = 5060", "port = 5061")
    .replaceAll("transport_type = 0", "transport_type = 2")
    .replace("192.0.2.13", "a.example.com")
    .replace("192.0.2.15", "b.example.com");
  assert.deepEqual(found(tls), []);
  assert.deepEqual(found(tls, "account.1.sip_server.2.transport_type = 2", "#"), [
    "warning secondary-transport 9",
  ]);
});

const RECORDS = [
  "#!version:1.0.0.1",
  "account.1.enable = 1",
  "account.1.user_name = 2001",
  "account.1.sip_server.1.address = pbx.example.com",
  "account.1.sip_server.1.port = 0",
  "account.1.sip_server.1.transport_type = 3",
  "dns_cache_naptr.1.name = pbx.example.com",
  "dns_cache_naptr.1.service = SIP+D2U",
  "dns_cache_naptr.1.replace = _sip._udp.example.com",
  "dns_cache_srv.1.name = _sip._udp.example.com",
  "dns_cache_srv.1.target = a.example.com",
  "dns_cache_srv.2.name = _sip._udp.pbx.example.com",
  "dns_cache_srv.2.target = b.example.com",
  "dns_cache_a.1.name = a.example.com",
  "dns_cache_a.1.ip = 192.0.2.13",
  "dns_cache_a.2.name = b.example.com",
  "dns_cache_a.2.ip = 192.0.2.14",
].join("\n");

test("static records whose chain breaks are told where it breaks, once", () => {
  assert.deepEqual(found(RECORDS), []);
  const unused = "warning unused-record";
  assert.deepEqual(found(RECORDS, "naptr.1.name = pbx", "naptr.1.name = pbc"), [`${unused} 7`]);
  assert.deepEqual(found(RECORDS, "srv.1.name = _sip._udp", "srv.1.name = _sip._upd"), [
    `${unused} 10`,
  ]);
  assert.deepEqual(found(RECORDS, "SIP+D2U", "SIP-D2U"), ["error bad-value 8"]);
  const port = RECORDS.replace("port = 0", "port = 5060").replace("type = 3", "type = 0");
  assert.deepEqual(found(port), [`${unused} 7`], "all of them, for one port");
  const fallback = "account.1.sip_server.2.address = 192.0.2.13";
  const server = `account.1.fallback.redundancy_type = 1\n${fallback}`;
  assert.deepEqual(
    found(RECORDS, "dns_cache_naptr.1.name", `${server}\ndns_cache_naptr.1.name`),
    [],
  );
  const under = RECORDS.replace("srv.1.name = _sip._udp.", "srv.1.name = _sip._udp.pbx.");
  const same = under.replace("_sip._udp.example.com", "_sip._udp.pbx.example.com");
  assert.deepEqual(found(same, "dns_cache_naptr.1.name", `${server}\ndns_cache_naptr.1.name`), [
    "warning same-server 8",
  ]);
});
