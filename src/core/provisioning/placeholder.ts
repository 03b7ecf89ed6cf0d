/** What templates leave in a file that nobody filled in: Smarty, Jinja, Blade, PHP, ERB, sipXecs, hand-made ones. */
import type { Fault, Origin } from "./configuration.ts";
import { error } from "./fault.ts";
import { shown } from "./value-form.ts";

/** Marks that stand out wherever they are in a value. */
const MARKED =
  /\{\{.*\}\}|\{[%$].*\}|<[?%].*[?%]>|\[%.*%\]|\[\[.*\]\]|[$#]\{.*\}|(?<mark>%%|\$\$|__|@@)\w+\k<mark>/;
const BRANCH = /\{\/?(?:if|else|elseif|for|foreach|assign)\b.*\}/;

/** Marks that mean something only if there is nothing else; `%NULL%` is a maker's own word. */
const WHOLE =
  /^(?:\{[\w.:-]+\}|<[\w.:-]+>|\[[a-z_][\w-]*\]|%(?!null%)[a-z_]\w*%|@[a-z_]\w*@|#[a-z_]\w*#|\$[a-z_][\w.]*)$/i;

/** Marks that no maker's own key has a use for. */
const CERTAIN = /\{\{.*\}\}|\{\$\w.*\}|<\?(?:php\b|=).*\?>|<%=.*%>|\$\{\w.*\}/;

/** A password may have nearly any character: only what is nothing but marks. */
const WHOLE_SECRET =
  /^(?:\{\{.*\}\}|\{[%$].*\}|\{[A-Z_]{3,}\}|<[?%].*[?%]>|\[%.*%\]|[$#]\{.*\}|(?<mark>%%|__|@@)[A-Za-z]\w+\k<mark>)$/;

/** Whether a value, or a line that is none of the family's, is a template's own. */
export function isPlaceholder(text: string): boolean {
  return MARKED.test(text) || BRANCH.test(text) || WHOLE.test(text);
}

/** As `isPlaceholder`, of a key that nobody here knows: makers have many signs of their own. */
export function isCertainPlaceholder(text: string): boolean {
  return CERTAIN.test(text);
}

/** As `isPlaceholder`, of a password. */
export function isSecretPlaceholder(text: string): boolean {
  return WHOLE_SECRET.test(text);
}

/** @param masked what stands for the value where it is a secret. */
export function unfilled(at: Origin, value: string, masked?: string): Fault {
  const wrong = `${masked ?? shown(value)} is a template's placeholder`;
  return error(at, "unfilled-placeholder", wrong, "fill it in, or delete the line");
}
