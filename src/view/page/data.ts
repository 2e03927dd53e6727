/** What the page is made with: the data in its element `view-data`. */
import type { Choice, HunkChoice } from '../choice.js';
import type { ScenarioText } from '../messages.js';

/** A series of the package. */
export interface SeriesRow extends HunkChoice {
  readonly name: string;
  readonly title: string;
}

/** Files as base64, by what they are. */
export interface EncodedFiles {
  readonly kernel?: { readonly name: string; readonly bytes: string } | undefined;
  readonly systemMap?: string | undefined;
  readonly initrd?: string | undefined;
  readonly dtb?: string | undefined;
}

/** A step of the guided tour: the fragment of its view, what to see there, and in which part of the page. */
export interface TourStep {
  readonly look: 'map' | 'panel' | 'change';
  readonly title: string;
  readonly text: string;
  readonly view: string;
}

export interface ViewData {
  readonly scenarios: readonly ScenarioText[];
  readonly series: readonly SeriesRow[];
  readonly choice: Choice;
  readonly files: EncodedFiles;
  /** Whether the sanitizer watches the boots; absent: those of the model, and no executed ones. */
  readonly sanitize?: boolean;
  readonly tour: readonly TourStep[];
  /** Terms with their meaning. */
  readonly glossary: readonly (readonly [term: string, meaning: string])[];
  /** Whether a server makes the page, which tells when a file has changed. */
  readonly reload: boolean;
}
