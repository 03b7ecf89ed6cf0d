/** `node npm-sip-registrar.js PORT [REALM PASSWORD]`: a registrar as one writes it on the npm package `sip`. */
import {
  type DigestContext,
  loadSip,
  loadSipDigest,
  type SipRequest,
  type SipResponse,
} from "./npm-sip.ts";

const [port = "5060", realm = "", password] = process.argv.slice(2);
const sip = loadSip();
const digest = loadSipDigest();
if (sip === undefined || digest === undefined) {
  process.stderr.write("the npm package sip is not installed\n");
  process.exit(3);
}
const bindings = new Map<string, Map<string, number>>();
const contexts = new Map<string, DigestContext>();

const stack = sip.create(
  { address: "127.0.0.1", port: Number(port), udp: true, tcp: false },
  (request) => stack.send(answer(request)),
);
process.stdout.write("ready\n");

function answer(request: SipRequest): SipResponse {
  if (sip === undefined || digest === undefined) throw new Error("not installed");
  if (request.method !== "REGISTER") return sip.makeResponse(request, 405, "Method Not Allowed");
  const { user, host } = sip.parseUri(request.headers.to.uri);
  if (password !== undefined) {
    const known = contexts.get(user);
    if (known === undefined || !digest.authenticateRequest(known, request, { user, password })) {
      const context: DigestContext = { realm };
      contexts.set(user, context);
      return digest.challenge(context, sip.makeResponse(request, 401, "Unauthorized"));
    }
  }
  const response = sip.makeResponse(request, 200, "OK");
  response.headers.to.params.tag ??= "a1";
  response.headers.contact = bind(`${user}@${host}`, request);
  return response;
}

function bind(user: string, request: SipRequest): { uri: string; params: { expires: number } }[] {
  const now = Date.now();
  const known = bindings.get(user) ?? new Map<string, number>();
  bindings.set(user, known);
  for (const { uri, params } of request.headers.contact ?? []) {
    const seconds = Number(params.expires ?? request.headers.expires ?? 3600);
    if (seconds > 0) known.set(uri, now + seconds * 1000);
    else known.delete(uri);
  }
  return [...known]
    .filter(([, end]) => end > now)
    .map(([uri, end]) => ({ uri, params: { expires: Math.ceil((end - now) / 1000) } }));
}
