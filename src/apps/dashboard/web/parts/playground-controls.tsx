/** The playground's controls: which play, how fast, over what network, with which values. */
import type { VNode } from "preact";
import { KNOBS, type Knob } from "../model/knobs.ts";
import { type Playground, SPEEDS } from "../playground.ts";
import type { Store } from "../store.ts";
import { useStore } from "./use-store.ts";

interface Props {
  readonly store: Store;
  readonly playground: Playground;
}

export function PlaygroundControls({ store, playground }: Props): VNode {
  useStore(store);
  return (
    <section class="playground" aria-label="Playground">
      <label class="wide">
        <span class="unseen">What is played</span>
        <select
          value={playground.choice.name}
          onChange={(event) => playground.choose(event.currentTarget.value)}
        >
          {playground.choices.map(({ name, title }) => (
            <option key={name} value={name}>
              {name.replace(/\.yaml$/, "")}: {title}
            </option>
          ))}
        </select>
      </label>
      <div class="speeds">
        <button type="button" onClick={() => playground.again()}>
          Again
        </button>
        <label>
          Speed
          <select
            value={playground.speed}
            onChange={(event) => playground.setSpeed(Number(event.currentTarget.value))}
          >
            {SPEEDS.map((speed) => (
              <option key={speed} value={speed}>
                {speed === 0 ? "as fast as it goes" : `${speed} ×`}
              </option>
            ))}
          </select>
        </label>
      </div>
      <Slider
        label="Datagrams lost"
        unit="%"
        value={Math.round(playground.loss * 100)}
        least={0}
        most={50}
        step={1}
        move={(value) => playground.set({ loss: value / 100 })}
      />
      <Slider
        label="Network delay, one way"
        unit="ms"
        value={playground.latencyMs}
        least={0.5}
        most={300}
        step={0.5}
        move={(value) => playground.set({ latencyMs: value })}
      />
      {KNOBS.map((knob) => (
        <KnobSlider key={knob.name} knob={knob} playground={playground} />
      ))}
    </section>
  );
}

function KnobSlider({
  knob,
  playground,
}: {
  readonly knob: Knob;
  readonly playground: Playground;
}): VNode {
  const { name, unit, least, most, step } = knob;
  return (
    <Slider
      label={name}
      unit={unit}
      value={playground.knob(knob)}
      least={least}
      most={most}
      step={step}
      move={(value) => playground.turn(knob, value)}
    />
  );
}

interface SliderProps {
  readonly label: string;
  readonly unit: string;
  /** Undefined: nobody wrote it. */
  readonly value: number | undefined;
  readonly least: number;
  readonly most: number;
  readonly step: number;
  readonly move: (value: number) => void;
}

function Slider({ label, unit, value, least, most, step, move }: SliderProps): VNode {
  return (
    <label class="slider">
      <span>{label}</span>
      <output>{value === undefined ? "default" : `${value} ${unit}`}</output>
      <input
        type="range"
        min={least}
        max={most}
        step={step}
        value={value ?? least}
        aria-label={label}
        onInput={(event) => move(Number(event.currentTarget.value))}
      />
    </label>
  );
}
