/** The events of the step, with a filter. */
import { useState } from 'preact/hooks';
import type { TraceEvent } from '../../trace/trace.js';
import { kindOf } from '../../trace/vocabulary.js';
import { matchesFilter } from './filter.js';
import { counted, shown } from './format.js';
import type { ViewProps } from './map.js';

/** Events that are shown before the reader asks for more (our choice). */
const FIRST = 200;
const CODE_FIELDS = ['in', 'file', 'patch', 'hunk', 'n'];

function Row({ event }: { event: TraceEvent }) {
  const kind = kindOf(event) ?? '';
  const fields = Object.entries(event).filter(
    ([name]) => name !== kind && !CODE_FIELDS.includes(name),
  );
  return (
    <tr>
      <td>{kind}</td>
      <td class="mono">
        {shown(event[kind])}
        {fields.map(([name, value]) => (
          <span class={name === 'C' ? `c c${shown(value)}` : 'field'}>
            {' '}
            {name}={shown(value)}
          </span>
        ))}
        {event.n !== undefined && <span class="soft"> × {shown(event.n)}</span>}
      </td>
      <td class="mono" title={shown(event.file ?? '')}>
        {shown(event.in ?? '')}
        {event.hunk !== undefined && <span class="hunk"> {shown(event.hunk)}</span>}
      </td>
    </tr>
  );
}

export function Events({ frame, place, setPlace }: ViewProps) {
  const [all, setAll] = useState<string>();
  const found = frame.events.filter((event) => matchesFilter(event, place.filter));
  const rows = all === frame.label ? found : found.slice(0, FIRST);
  return (
    <>
      <label class="filter">
        Filter
        <input
          id="filter"
          type="search"
          value={place.filter}
          placeholder="kind=encrypt C=1 in=memcpy hunk=09/initrd, or any text"
          spellcheck={false}
          autocomplete="off"
          onInput={({ currentTarget }) => {
            setPlace({ filter: currentTarget.value });
          }}
        />
      </label>
      <p class="soft" id="shown" role="status">
        {place.filter.trim() === ''
          ? counted(found.length, 'event')
          : `${found.length} of ${counted(frame.events.length, 'event')}`}
      </p>
      <div class="scroll">
        <table id="events">
          <thead>
            <tr>
              <th scope="col">Kind</th>
              <th scope="col">What</th>
              <th scope="col">In</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((event) => (
              <Row event={event} />
            ))}
          </tbody>
        </table>
      </div>
      {rows.length < found.length && (
        <button
          type="button"
          onClick={() => {
            setAll(frame.label);
          }}
        >
          Show {found.length - rows.length} more
        </button>
      )}
    </>
  );
}
