/** The field for a place in memory, with names to choose from. */
import type { ViewProps } from './map.js';
import { shown } from './format.js';
import { useAnswer } from './use-answer.js';

type Props = ViewProps & { readonly verb: string };

export function PlaceForm({ asker, label, boot, place, setPlace, verb }: Props) {
  const names = useAnswer(asker, 'names', { label }, String(boot.run));
  return (
    <form
      class="place"
      onSubmit={(event) => {
        event.preventDefault();
        const field = event.currentTarget.elements.namedItem('place');
        if (field instanceof HTMLInputElement) setPlace({ place: field.value });
      }}
    >
      <label>
        Address, symbol or region
        <input
          id="place"
          name="place"
          list="names"
          value={place.place}
          spellcheck={false}
          autocomplete="off"
          onChange={({ currentTarget }) => {
            setPlace({ place: currentTarget.value });
          }}
        />
      </label>
      <datalist id="names">
        {(names.value ?? []).map((name) => (
          <option value={shown(name)} />
        ))}
      </datalist>
      <button type="submit">{verb}</button>
    </form>
  );
}
