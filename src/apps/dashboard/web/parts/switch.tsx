/** One thing that can be done, and what a screen reader says of it. */
import type { VNode } from "preact";

export interface SwitchProps {
  readonly label: string;
  readonly text: string;
  readonly press: () => void;
  readonly off?: boolean;
  readonly strong?: boolean;
  /** Why it is off. */
  readonly why?: string | undefined;
}

export function Switch({ label, text, press, off, strong, why }: SwitchProps): VNode {
  return (
    <button
      type="button"
      aria-label={label}
      onClick={press}
      disabled={off === true}
      title={off === true ? why : undefined}
      class={strong === true ? "strong" : ""}
    >
      {text}
    </button>
  );
}
