/** The steps of the boot as a slider, with the reports of the sanitizer on it. */
import { useEffect, useState } from 'preact/hooks';
import { counted, shown } from './format.js';
import type { RunningBoot } from './use-boot.js';

/** Milliseconds that playing stays at a step (our choice). */
const PACE = 700;
const MILLION = 1e6;

interface Props {
  readonly boot: RunningBoot;
  readonly label: string | undefined;
  /** The label that the address asks for. */
  readonly wanted: string | undefined;
  readonly go: (label: string) => void;
  /** Ends a boot that runs. */
  readonly stop: () => void;
}

/** How far an executed boot is. */
function executedText({ ended, instructions = 0, rate = 0 }: RunningBoot): string {
  const count = `${(instructions / MILLION).toFixed(1)} million instructions`;
  return ended ? count : `${count}, ${(rate / MILLION).toFixed(1)} million a second`;
}

export function Timeline({ boot, label, wanted, go, stop }: Props) {
  const { steps, begun, ended } = boot;
  const [playing, setPlaying] = useState(false);
  const index = steps.findIndex((step) => step.label === label);
  const to = (next: number): void => {
    const step = steps[Math.max(0, Math.min(next, steps.length - 1))];
    if (step !== undefined) go(step.label);
  };
  useEffect(() => {
    if (!playing) return undefined;
    if (ended && index >= steps.length - 1) {
      setPlaying(false);
      return undefined;
    }
    const timer = window.setTimeout(() => {
      to(index + 1);
    }, PACE);
    return () => {
      window.clearTimeout(timer);
    };
  }, [playing, index, steps.length, ended]);
  const reports = steps.flatMap(({ rules }, i) => (rules.length > 0 ? [{ i, rules }] : []));
  const last = Math.max(1, steps.length - 1);
  const end = steps.at(-1)?.outcome;
  return (
    <section class="timeline" aria-label="Steps of the boot">
      <div class="buttons">
        <button type="button" onClick={() => to(0)} aria-label="First step" title="First step">
          «
        </button>
        <button
          type="button"
          onClick={() => to(index - 1)}
          aria-label="Previous step"
          title="Previous step"
        >
          ‹
        </button>
        <button
          type="button"
          class="play"
          aria-pressed={playing}
          onClick={() => {
            if (!playing && index >= steps.length - 1) to(0);
            setPlaying(!playing);
          }}
        >
          {playing ? 'Pause' : 'Play'}
        </button>
        <button
          type="button"
          onClick={() => to(index + 1)}
          aria-label="Next step"
          title="Next step"
        >
          ›
        </button>
        <button
          type="button"
          onClick={() => to(steps.length - 1)}
          aria-label="Last step"
          title="Last step"
        >
          »
        </button>
        <label class="select">
          <span class="unseen">Step</span>
          <select
            id="label"
            value={label}
            onChange={({ currentTarget }) => {
              go(currentTarget.value);
            }}
          >
            {steps.map((step) => (
              <option value={step.label}>{step.label}</option>
            ))}
          </select>
        </label>
        <output class="soft" id="progress">
          step {index + 1} of {steps.length}
          {ended || begun.labels === undefined
            ? ''
            : `, ${begun.labels.length - steps.length} to run`}
        </output>
        {begun.labels === undefined && (
          <span class="soft" id="executed">
            {executedText(boot)}
          </span>
        )}
        {begun.labels === undefined && !ended && (
          <button type="button" id="stop" onClick={stop} title="End the boot where it is">
            Stop
          </button>
        )}
      </div>
      <div class="track">
        <input
          type="range"
          id="slider"
          aria-label="Step of the boot"
          aria-valuetext={label}
          min={0}
          max={last}
          value={Math.max(0, index)}
          onInput={({ currentTarget }) => {
            to(Number(currentTarget.value));
          }}
        />
        <div class="marks">
          {reports.map(({ i, rules }) => (
            <button
              type="button"
              class="mark"
              style={{ left: `${(100 * i) / last}%` }}
              title={`${counted(rules.length, 'report')} in ${steps[i]?.label ?? ''}: ${[...new Set(rules)].join(', ')}`}
              aria-label={`${counted(rules.length, 'report')} in ${steps[i]?.label ?? ''}`}
              onClick={() => {
                to(i);
              }}
            />
          ))}
        </div>
      </div>
      {ended && wanted !== undefined && wanted !== label && (
        <p class="note" role="status">
          The boot ended before {shown(wanted)}.
        </p>
      )}
      {ended && end !== undefined && end !== null && (
        <p class={`outcome ${end.kind}`} id="outcome">
          <strong>{end.kind}</strong>
          {end.where !== undefined && ` in ${shown(end.where)}`}
          {end.message !== undefined && `: ${shown(end.message)}`}
        </p>
      )}
    </section>
  );
}
