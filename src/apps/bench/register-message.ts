/** The REGISTER of a desk phone that renews its registration, as the load generator sends it. */
import { hash } from "node:crypto";

export interface Renewal {
  readonly user: string;
  readonly domain: string;
  readonly password: string;
  /** Where the sender is. */
  readonly port: number;
  readonly branch: string;
  readonly cseq: number;
  /** Undefined: without credentials. */
  readonly nonce: string | undefined;
  /** How often the nonce has been used, this time included. */
  readonly nonceCount: number;
}

export function registerMessage(renewal: Renewal): string {
  const { user, domain, port, branch, cseq } = renewal;
  const place = `127.0.0.1:${port}`;
  return `REGISTER sip:${domain} SIP/2.0\r
Via: SIP/2.0/UDP ${place};branch=${branch};rport\r
Max-Forwards: 70\r
From: <sip:${user}@${domain}>;tag=f${user}\r
To: <sip:${user}@${domain}>\r
Call-ID: ${user}-8d1f04a7@127.0.0.1\r
CSeq: ${cseq} REGISTER\r
Contact: <sip:${user}@${place};transport=udp>;+sip.instance="<urn:uuid:00000000-0000-1000-8000-0004f2a1b2c3>";expires=3600\r
${credentials(renewal)}User-Agent: dialtone-bench (a phone at rest)\r
Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, NOTIFY, REFER, INFO, UPDATE\r
Supported: path, outbound, replaces\r
Expires: 3600\r
Content-Length: 0\r
\r
`;
}

function credentials({ user, domain, password, nonce, nonceCount }: Renewal): string {
  if (nonce === undefined) return "";
  const uri = `sip:${domain}`;
  const nc = nonceCount.toString(16).padStart(8, "0");
  const cnonce = `c0${user}`;
  const ha1 = md5(`${user}:${domain}:${password}`);
  const response = md5(`${ha1}:${nonce}:${nc}:${cnonce}:auth:${md5(`REGISTER:${uri}`)}`);
  return `Authorization: Digest username="${user}", realm="${domain}", nonce="${nonce}", uri="${uri}", response="${response}", algorithm=MD5, cnonce="${cnonce}", qop=auth, nc=${nc}\r\n`;
}

function md5(text: string): string {
  return hash("md5", text);
}
