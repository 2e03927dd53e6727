/** The field for a place in memory, with names to choose from. */
import type { ViewProps } from './map.js';
import { shown } from './format.js';
import { useAnswer } from './use-answer.js';
import { useDraft } from './use-draft.js';

type Props = ViewProps & { readonly verb: string };

export function PlaceForm({ asker, label, boot, place, setPlace, verb }: Props) {
  const names = useAnswer(asker, 'names', { label }, String(boot.run));
  const draft = useDraft(place.place, (text) => {
    setPlace({ place: text });
  });
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
        <input id="place" name="place" list="names" autocomplete="off" {...draft} />
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
