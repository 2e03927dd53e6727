/** Text that is being typed into a field. */
import { useState } from 'preact/hooks';

interface Field {
  readonly currentTarget: { readonly value: string };
}

/**
 * Attributes of a text field: what is typed stays while the page is drawn again, as a running boot does all the time, and
 * `commit` gets it when the field is left or Enter is pressed.
 */
export function useDraft(value: string, commit: (text: string) => void) {
  const [draft, set] = useState<string>();
  return {
    value: draft ?? value,
    spellcheck: false,
    onInput: ({ currentTarget }: Field): void => {
      set(currentTarget.value);
    },
    onChange: ({ currentTarget }: Field): void => {
      set(undefined);
      commit(currentTarget.value);
    },
    // After the change, if there is one.
    onBlur: (): void => {
      set(undefined);
    },
  };
}
