/** Answers the page's questions: holds two boots, the one that is shown and the one that it is compared with. */
import { InputError } from '../base/errors.js';
import { VERSION } from '../base/version.js';
import { LATER_REGIONS } from '../inspect/place.js';
import { exposureAt } from '../inspect/exposure/exposure.js';
import { mappedRanges } from '../inspect/tables.js';
import type { KernelImage } from '../firmware/image/kernel-image.js';
import type { Scenario } from '../scenario/scenario.js';
import { alternatives, hunksOf, LAST_STAGE, patchOf } from '../series/patches.js';
import { bootOf, executionOf, imageOfFiles, wordsOf } from './boot-of.js';
import type { Choice } from './choice.js';
import { differenceOf } from './difference.js';
import { cpuOf, frameOf, memoryOf, walkRowsOf } from './frame.js';
import { LabelledBoot } from './labelled-boot.js';
import { LabelledExecution } from './labelled-execution.js';
import type {
  Answer,
  Begun,
  ExposureRows,
  Offer,
  PatchRow,
  Question,
  QuestionName,
  Questions,
  Setup,
  Side,
} from './messages.js';
import { rangeDetails } from './range-details.js';
import { tilesOf } from './tiles.js';
import type { ViewedBoot, ViewedState } from './viewed-boot.js';

type Answers = {
  readonly [Name in QuestionName]: (ask: Questions[Name]['ask']) => Questions[Name]['answer'];
};

const patchRows = (): PatchRow[] =>
  Array.from({ length: LAST_STAGE }, (_, i) => {
    const number = i + 1;
    return {
      number,
      hunks: hunksOf(number).map(({ id, what, file }) => ({ id, what, file })),
      alternatives: alternatives()
        .filter((each) => patchOf(each) === number)
        .map(({ id, what, file, instead }) => ({ id, what, file, instead: instead ?? '' })),
    };
  });

export class Viewer {
  #setup: Setup = { scenarios: [], files: {} };
  #image: KernelImage | undefined;
  readonly #boots = new Map<Side, ViewedBoot>();

  readonly #answers: Answers = {
    offer: (setup) => this.#offer(setup),
    boot: ({ side, choice }) => this.#begin(side, choice),
    step: ({ side }) => this.#boot(side).advance(),
    stop: ({ side }) => {
      this.#boot(side).stop?.();
      return null;
    },
    frame: ({ label }) => frameOf(this.#at(label), label),
    tiles: ({ label, layer, window }) => tilesOf(this.#at(label), layer, window),
    range: ({ label, base, size }) => rangeDetails(this.#at(label).boot, base, size),
    memory: ({ label, place, length }) => memoryOf(this.#at(label), place, length),
    walk: ({ label, place, cpu }) => walkRowsOf(this.#at(label), place, cpu),
    tables: ({ label, cpu }) => {
      const { boot } = this.#at(label);
      return mappedRanges(boot.machine, cpuOf(boot, cpu));
    },
    exposure: ({ label }) => this.#exposure(label),
    names: ({ label }) => this.#names(label),
    difference: ({ label }) => differenceOf(this.#boot('other'), this.#boot('shown'), label),
  };

  /** The answer to a question. Bad input is an answer with the error's text; other errors are thrown. */
  answer(question: Question): Answer {
    const { id } = question;
    try {
      return { id, value: this.#of(question) };
    } catch (error) {
      if (error instanceof InputError) return { id, error: error.format() };
      throw error;
    }
  }

  #of<Name extends QuestionName>({ name, ask }: { name: Name; ask: Questions[Name]['ask'] }) {
    return this.#answers[name](ask);
  }

  #offer(setup: Setup): Offer {
    this.#setup = setup;
    this.#image = imageOfFiles(setup.files);
    return {
      version: VERSION,
      patches: patchRows(),
      stages: LAST_STAGE,
      kernel: this.#image && { name: this.#image.file, digest: this.#image.digest },
    };
  }

  #begin(side: Side, choice: Choice): Begun {
    const { boot, scenario } = this.#make(choice);
    this.#boots.set(side, boot);
    return {
      title: scenario.title,
      image: boot.image,
      cmdline: scenario.cmdline,
      labels: boot.labels,
      ...boot.places,
      words: wordsOf(choice, this.#setup),
    };
  }

  #make(choice: Choice): { readonly boot: ViewedBoot; readonly scenario: Scenario } {
    if (choice.execute) {
      const execution = executionOf(this.#setup, this.#image, choice);
      return { boot: new LabelledExecution(execution), scenario: execution.boot.scenario };
    }
    const options = bootOf(this.#setup, this.#image, choice);
    return { boot: new LabelledBoot(options), scenario: options.scenario };
  }

  #exposure(label: string): ExposureRows {
    const { boot, bus } = this.#at(label);
    const { encryption, dram, cache, ranges, remnants } = exposureAt(boot, bus);
    return { encryption, dram, cache, ranges, remnants };
  }

  /** Names of places. */
  #names(label: string): string[] {
    const { boot } = this.#at(label);
    return [
      ...new Set([
        ...boot.regions().map(({ name }) => name),
        ...boot.loaded.blobs.map(({ name }) => name),
        // An image has a hundred thousand symbols.
        ...(boot.executed
          ? boot.labels.filter((name) => boot.program.has(name))
          : boot.suggested()),
      ]),
    ].filter(
      (name) => !LATER_REGIONS.includes(name) || boot.regions().some((each) => each.name === name),
    );
  }

  #boot(side: Side): ViewedBoot {
    const boot = this.#boots.get(side);
    if (boot !== undefined) return boot;
    throw new InputError({ code: 'E_USAGE', reason: 'nothing has been booted' });
  }

  #at(label: string): ViewedState {
    const boot = this.#boot('shown').at(label);
    if (boot !== undefined) return boot;
    throw new InputError({
      code: 'E_LABEL',
      reason: 'the boot has not come to this label',
      found: label,
    });
  }
}
