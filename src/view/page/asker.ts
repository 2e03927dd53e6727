/** Asks the worker; answers come in the order of the questions. */
import type { Answer, QuestionName, Questions } from '../messages.js';

interface Waiting {
  resolve(value: Questions[QuestionName]['answer']): void;
  reject(error: Error): void;
}

/** An error whose text is for the reader of the page. */
export class AnswerError extends Error {}

export class Asker {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;

  /** `text`: the script of the worker; `onCrash` is told of an error that is not an answer. */
  constructor(text: string, onCrash: (message: string) => void) {
    const url = URL.createObjectURL(new Blob([text], { type: 'text/javascript' }));
    this.#worker = new Worker(url);
    URL.revokeObjectURL(url);
    this.#worker.onmessage = ({ data }: MessageEvent<Answer>) => {
      const waiting = this.#waiting.get(data.id);
      this.#waiting.delete(data.id);
      if ('error' in data) waiting?.reject(new AnswerError(data.error));
      else waiting?.resolve(data.value);
    };
    this.#worker.onerror = (event) => {
      onCrash(event.message);
    };
  }

  ask<Name extends QuestionName>(
    name: Name,
    ask: Questions[Name]['ask'],
  ): Promise<Questions[Name]['answer']> {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, name, ask });
    });
  }
}
