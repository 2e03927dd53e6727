/** Links within the page. */
import type { ViewProps } from './map.js';
import { hex, rangeText } from './format.js';
import { windowAround } from './window.js';

interface Props {
  readonly base: number;
  readonly size: number;
  readonly view: Pick<ViewProps, 'boot' | 'setPlace'>;
}

/** A range of memory: a click shows its bytes, and its window of the map. */
export function RangeLink({ base, size, view: { boot, setPlace } }: Props) {
  return (
    <button
      type="button"
      class="link"
      onClick={() => {
        setPlace({
          panel: 'memory',
          place: hex(base),
          map: windowAround(base, size, boot.begun.end),
        });
      }}
    >
      {rangeText(base, size)}
    </button>
  );
}
