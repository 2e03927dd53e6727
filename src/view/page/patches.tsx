/** The patches and hunks of the model, as tick boxes. */
import type { Choice } from '../choice.js';
import type { HunkRow, PatchRow } from '../messages.js';
import type { ChangeProps as Props } from './change-props.js';
import { shown } from './format.js';

/** A list without an element, or with it. */
const toggled = (list: readonly string[], name: string, present: boolean): string[] =>
  present ? [...list.filter((each) => each !== name), name] : list.filter((each) => each !== name);

const number = (patch: number): string => String(patch).padStart(2, '0');

/** Whether a hunk is left out: itself, or its whole patch. */
const isOut = (choice: Choice, patch: number, id: string): boolean =>
  choice.without.includes(id) || choice.without.includes(number(patch));

function Hunk({ hunk, patch, props }: { hunk: HunkRow; patch: PatchRow; props: Props }) {
  const { choice, change } = props;
  const out = isOut(choice, patch.number, hunk.id);
  return (
    <label class="hunk-box" title={shown(`${hunk.what} (${hunk.file})`)}>
      <input
        type="checkbox"
        data-hunk={hunk.id}
        checked={!out}
        onChange={({ currentTarget }) => {
          const whole = number(patch.number);
          const rest = choice.without.includes(whole)
            ? [
                ...choice.without.filter((each) => each !== whole),
                ...patch.hunks.map(({ id }) => id),
              ]
            : choice.without;
          change({ without: toggled(rest, hunk.id, !currentTarget.checked) });
        }}
      />
      <span>
        <code>{hunk.id}</code> <span class="soft">{shown(hunk.what)}</span>
      </span>
    </label>
  );
}

function Patch({ patch, props }: { patch: PatchRow; props: Props }) {
  const { choice, change } = props;
  const applied =
    patch.number <= choice.stage || (choice.activate && patch.number === props.offer.stages);
  const out = patch.hunks.filter(({ id }) => isOut(choice, patch.number, id)).length;
  const used = patch.alternatives.filter(({ id }) => choice.with.includes(id)).length;
  const notes = [
    applied ? '' : 'not applied',
    out === 0 ? '' : `${out} left out`,
    used === 0 ? '' : `${used} changed`,
  ].filter((note) => note !== '');
  return (
    <details open={out + used > 0}>
      <summary class={applied ? '' : 'soft'}>
        Patch {number(patch.number)} <span class="soft">{notes.join(', ')}</span>
      </summary>
      {patch.hunks.map((hunk) => (
        <Hunk hunk={hunk} patch={patch} props={props} />
      ))}
      {patch.alternatives.map((each) => (
        <label class="hunk-box alternative" title={shown(`${each.what} (${each.file})`)}>
          <input
            type="checkbox"
            data-alternative={each.id}
            checked={choice.with.includes(each.id)}
            onChange={({ currentTarget }) => {
              change({ with: toggled(choice.with, each.id, currentTarget.checked) });
            }}
          />
          <span>
            <code>{each.id}</code>{' '}
            <span class="soft">
              {each.instead === '' ? 'on top' : `instead of ${each.instead ?? ''}`}:{' '}
              {shown(each.what)}
            </span>
          </span>
        </label>
      ))}
    </details>
  );
}

/** Which patches and hunks the model has: all, one by one, or those of a series. */
export function Patches(props: Props) {
  const { offer, series, choice, change } = props;
  return (
    <>
      <label>
        Patches 1 to {choice.stage}
        <input
          type="range"
          id="stage"
          min={0}
          max={offer.stages}
          value={choice.stage}
          onChange={({ currentTarget }) => {
            change({ stage: Number(currentTarget.value) });
          }}
        />
      </label>
      <label class="check">
        <input
          type="checkbox"
          id="activate"
          checked={choice.activate}
          disabled={choice.stage === offer.stages}
          onChange={({ currentTarget }) => {
            change({ activate: currentTarget.checked });
          }}
        />
        and patch {offer.stages}, which turns encryption on
      </label>
      <label>
        Series
        <select
          id="series"
          value=""
          onChange={({ currentTarget }) => {
            const found = series.find(({ name }) => name === currentTarget.value);
            if (found === undefined) return;
            const { name: _name, title: _title, ...selection } = found;
            change(selection);
          }}
        >
          <option value="">take one over…</option>
          {series.map(({ name, title }) => (
            <option value={name} title={shown(title)}>
              {shown(name)}
            </option>
          ))}
        </select>
      </label>
      <fieldset class="hunks">
        <legend>Hunks</legend>
        <label class="check">
          <input
            type="checkbox"
            id="stub"
            checked={choice.stub}
            disabled={choice.without.length === 0}
            onChange={({ currentTarget }) => {
              change({ stub: currentTarget.checked });
            }}
          />
          replace what is left out by stubs
        </label>
        {offer.patches.map((patch) => (
          <Patch patch={patch} props={props} />
        ))}
      </fieldset>
    </>
  );
}
