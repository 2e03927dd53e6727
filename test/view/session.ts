/** Asks a viewer as the page does. */
import { readFileSync } from 'node:fs';
import type { Choice } from '../../src/view/choice.js';
import type { QuestionName, Questions, Setup, Side, Stepped } from '../../src/view/messages.js';
import { Viewer } from '../../src/view/viewer.js';

/** A choice: the whole series, but for what is given. */
export const choice = (scenario: string, given: Partial<Choice> = {}): Choice => ({
  scenario,
  execute: false,
  entry: 'kernel',
  until: '',
  most: 0,
  stage: 18,
  activate: false,
  without: [],
  stub: false,
  with: [],
  set: [],
  ...given,
});

/** Scenarios of the package. */
export const scenarios = (...names: readonly string[]): Setup['scenarios'] =>
  names.map((name) => ({
    name,
    title: name,
    text: readFileSync(`scenarios/${name}.yaml`, 'utf8'),
  }));

/** A viewer with its answers as values. */
export class Session {
  private readonly viewer = new Viewer();
  private id = 0;

  constructor(setup: Partial<Setup> = {}) {
    this.ask('offer', {
      scenarios: scenarios('bios-minimal', 'epyc-efi'),
      files: {},
      sanitize: true,
      ...setup,
    });
  }

  /** The answer. Throws an Error with the text of one that is an error. */
  ask<Name extends QuestionName>(
    name: Name,
    ask: Questions[Name]['ask'],
  ): Questions[Name]['answer'] {
    // A copy, as between a page and its worker.
    const question = structuredClone({ id: this.id++, name, ask });
    const answer = structuredClone(this.viewer.answer(question as never));
    if ('error' in answer) throw new Error(answer.error);
    return answer.value;
  }

  /** Boots to the end; the steps. */
  boot(of: Choice, side: Side = 'shown'): Stepped[] {
    this.ask('boot', { side, choice: of });
    const steps: Stepped[] = [];
    for (;;) {
      const { steps: more, ended } = this.ask('step', { side });
      steps.push(...more);
      if (ended) return steps;
    }
  }
}
