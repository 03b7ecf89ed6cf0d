/** Dark and light: the style sheet has the colours, the ladder asks it for them. */
import type { Ink, Palette } from "./ladder/surface.ts";

const KEPT = "dialtone-theme";

export function isDark(): boolean {
  return document.documentElement.dataset.theme === "dark";
}

/** What was chosen before, or what the system likes. */
export function startTheme(): void {
  const kept = stored();
  const liked = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  document.documentElement.dataset.theme = kept === "dark" || kept === "light" ? kept : liked;
}

export function turnTheme(): void {
  const next = isDark() ? "light" : "dark";
  document.documentElement.dataset.theme = next;
  try {
    localStorage.setItem(KEPT, next);
  } catch {
    // Some browsers keep nothing for pages from files: it is chosen again next time.
  }
}

function stored(): string | null {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    // As above.
    return null;
  }
}

/** Read once a picture: the style sheet is asked for each colour only once. */
export function palette(): Palette {
  const style = getComputedStyle(document.documentElement);
  const known = new Map<Ink, string>();
  return (ink) => {
    let colour = known.get(ink);
    if (colour === undefined) {
      colour = style.getPropertyValue(`--${ink}`).trim();
      known.set(ink, colour);
    }
    return colour;
  };
}
