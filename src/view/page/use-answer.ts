/** An answer of the worker as a value that follows its question. */
import { useLayoutEffect, useState } from 'preact/hooks';
import type { QuestionName, Questions } from '../messages.js';
import { AnswerError, type Asker } from './asker.js';

export type Answered<T> =
  | { readonly value: T; readonly error?: undefined }
  | { readonly value?: undefined; readonly error: string }
  | { readonly value?: undefined; readonly error?: undefined };

/**
 * The answer to a question that is asked again when `key` changes, and the previous answer until then; `ask` undefined: no
 * question.
 */
export function useAnswer<Name extends QuestionName>(
  asker: Asker,
  name: Name,
  ask: Questions[Name]['ask'] | undefined,
  key: string,
): Answered<Questions[Name]['answer']> {
  const [answered, set] = useState<Answered<Questions[Name]['answer']>>({});
  // A question does not wait for the page to be painted.
  useLayoutEffect(() => {
    if (ask === undefined) return undefined;
    let current = true;
    asker.ask(name, ask).then(
      (value) => {
        if (current) set({ value });
      },
      (error: unknown) => {
        if (!(error instanceof AnswerError)) throw error;
        if (current) set({ error: error.message });
      },
    );
    return () => {
      current = false;
    };
    // The key stands for the question: it is a new object each time.
  }, [name, key]);
  return answered;
}
