/** The text of a provisioning file, from the disk or from the web, in bounded time and size. */
import { isUtf8 } from "node:buffer";
import { createReadStream } from "node:fs";

/** A provisioning server must answer within this time, milliseconds. */
const DOWNLOAD_TIMEOUT_MS = 10_000;

/** The longest file that is read, bytes: the largest that desk phones are given are a tenth of it. */
const LONGEST_FILE = 1 << 20;

/** @param path a file or an `http(s)` address. @throws whatever keeps it from being read; `whyUnread` words it. */
export async function readSource(path: string): Promise<string> {
  if (/^https?:\/\//.test(path)) return await download(path);
  // One byte more than is allowed tells a file that is too long, also one without an end.
  return await textOf(createReadStream(path, { end: LONGEST_FILE }));
}

async function download(address: string): Promise<string> {
  const url = new URL(address);
  const { username, password } = url;
  url.username = "";
  url.password = "";
  const account = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const basic = `Basic ${Buffer.from(account).toString("base64")}`;
  const response = await fetch(url, {
    ...(username === "" ? {} : { headers: { authorization: basic } }),
    signal: AbortSignal.timeout(DOWNLOAD_TIMEOUT_MS),
  });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return response.body === null ? "" : await textOf(response.body);
}

/** Leaving the loop ends the stream, so nothing beyond the limit is fetched. */
async function textOf(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const held: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.byteLength;
    if (length > LONGEST_FILE) throw new Error("longer than 1 MiB");
    held.push(chunk);
  }
  return decoded(Buffer.concat(held));
}

/** UTF-8, UTF-16 with its mark as editors of Windows write it, or Latin-1. @throws Error when it is no text. */
function decoded(bytes: Buffer): string {
  const mark = bytes.subarray(0, 2).toString("latin1");
  // The mark stays: phones stumble over it, and over what it announces.
  const marked = { ignoreBOM: true };
  if (mark === "\xff\xfe") return new TextDecoder("utf-16le", marked).decode(bytes);
  if (mark === "\xfe\xff") return new TextDecoder("utf-16be", marked).decode(bytes);
  if (bytes.includes(0)) throw new Error("it is no text: it holds zero bytes");
  return isUtf8(bytes) ? bytes.toString("utf8") : bytes.toString("latin1");
}

/** A download that fails keeps the reason one error deeper. */
export function whyUnread(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return `no answer in ${DOWNLOAD_TIMEOUT_MS / 1000} s`;
  return error.cause instanceof Error ? error.cause.message : error.message;
}
