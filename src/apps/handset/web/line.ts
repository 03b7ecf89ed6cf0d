/** The line to the phone: its standing as it changes, and what is pressed, with the token of the invitation. */
import type { HandsetStanding } from "../standing.ts";

const KEPT = "dialtone-handset-token";

export interface Pressed {
  readonly do: "call" | "answer" | "hangup" | "hold" | "resume" | "transfer" | "keys";
  readonly to?: string;
  readonly account?: string;
  readonly keys?: string;
}

export interface LineUser {
  standing(standing: HandsetStanding): void;
  connected(connected: boolean): void;
}

export function listen(user: LineUser): void {
  const events = new EventSource("events");
  events.addEventListener("open", () => user.connected(true));
  events.addEventListener("error", () => user.connected(false));
  events.addEventListener("standing", (event) => {
    user.standing(JSON.parse((event as MessageEvent).data) as HandsetStanding);
  });
}

/** @throws Error, in words for people, when the phone did not obey. */
export async function press(pressed: Pressed): Promise<void> {
  const headers = { authorization: `Bearer ${token()}`, "content-type": "application/json" };
  const body = JSON.stringify(pressed);
  const response = await fetch("command", { method: "POST", headers, body });
  if (response.ok) return;
  if (response.status === 401) {
    throw new Error("Open the page by the address that the phone printed: its token is missing.");
  }
  const answer = (await response.json().catch(() => ({}))) as { readonly error?: string };
  throw new Error(answer.error ?? `status ${response.status}`);
}

/** Taken out of the address bar at once, so that no picture of the page shows it. */
export function takeToken(): void {
  const given = location.hash.slice(1);
  if (given === "") return;
  sessionStorage.setItem(KEPT, given);
  history.replaceState(null, "", location.pathname + location.search);
}

function token(): string {
  return sessionStorage.getItem(KEPT) ?? "";
}
