/** The guided tour: one paragraph a step, each of which is a view. */
import { useState } from 'preact/hooks';
import type { TourStep } from './data.js';

/** Pixels between the tour and what it is about. */
const GAP = 8;

interface Props {
  readonly steps: readonly TourStep[];
  /** Opens the view of a fragment. */
  readonly open: (view: string) => void;
}

/** The elements of the parts of the page. */
const PARTS: Readonly<Record<TourStep['look'], string>> = {
  map: '.map',
  panel: '.panels',
  change: '.change',
};

/** Scrolls to a part of the page if the window does not show its beginning below the tour. */
function lookAt(part: TourStep['look']): void {
  // After the page has been drawn with the step's text and view.
  requestAnimationFrame(() => {
    const element = document.querySelector(PARTS[part]);
    if (part === 'change') element?.querySelector('details')?.setAttribute('open', '');
    const bottom = document.querySelector('.tour')?.getBoundingClientRect().bottom ?? 0;
    const top = element?.getBoundingClientRect().top ?? 0;
    // A third of the window is enough to see what the text is about.
    if (top >= bottom && top < (window.innerHeight * 2) / 3) return;
    window.scrollBy({ top: top - bottom - GAP });
  });
}

/** Opens the glossary at the foot of the page. */
function openGlossary(): void {
  const glossary = document.getElementById('glossary');
  glossary?.setAttribute('open', '');
  glossary?.scrollIntoView();
}

export function Tour({ steps, open }: Props) {
  const [at, setAt] = useState<number>();
  const go = (next: number | undefined): void => {
    setAt(next);
    const step = next === undefined ? undefined : steps[next];
    if (step === undefined) return;
    open(step.view);
    lookAt(step.look);
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
        <button type="button" onClick={openGlossary}>
          What do the words mean?
        </button>
        <button type="button" onClick={() => go(undefined)}>
          End the tour
        </button>
      </p>
    </section>
  );
}
