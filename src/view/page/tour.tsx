/** The guided tour: one paragraph a step, each of which is a view. */
import { useState } from 'preact/hooks';
import type { TourStep } from './data.js';

interface Props {
  readonly steps: readonly TourStep[];
  /** Opens the view of a fragment. */
  readonly open: (view: string) => void;
}

export function Tour({ steps, open }: Props) {
  const [at, setAt] = useState<number>();
  const go = (next: number | undefined): void => {
    setAt(next);
    const step = next === undefined ? undefined : steps[next];
    if (step !== undefined) open(step.view);
  };
  const step = at === undefined ? undefined : steps[at];
  if (steps.length === 0) return null;
  if (at === undefined || step === undefined) {
    return (
      <button type="button" id="tour" onClick={() => go(0)}>
        Take the tour
      </button>
    );
  }
  return (
    <section class="tour" aria-label="Guided tour" aria-live="polite">
      <h2>
        {at + 1} of {steps.length}: {step.title}
      </h2>
      <p>{step.text}</p>
      <p class="buttons">
        <button type="button" disabled={at === 0} onClick={() => go(at - 1)}>
          Back
        </button>
        <button
          type="button"
          id="tour-next"
          disabled={at === steps.length - 1}
          onClick={() => go(at + 1)}
        >
          Next
        </button>
        <button type="button" onClick={() => go(undefined)}>
          End the tour
        </button>
      </p>
    </section>
  );
}
