/** The panels: one at a time, as tabs. */
import { PANELS, type Panel } from '../choice.js';
import { Difference, type Other } from './difference.js';
import { Events } from './events.js';
import { Exposure } from './exposure.js';
import type { ViewProps } from './map.js';
import { Memory } from './memory.js';
import { Cpus, Reads, Reports, Screen } from './state.js';
import { Tables } from './tables.js';
import { Walk } from './walk.js';

const TITLES: Readonly<Record<Panel, string>> = {
  events: 'Events',
  memory: 'Bytes',
  walk: 'Walk',
  tables: 'Page tables',
  cpus: 'CPUs',
  screen: 'Screen',
  reads: 'Reads',
  reports: 'Reports',
  exposure: 'In the clear',
  difference: 'Difference',
};

type Props = ViewProps & { readonly other: Other };

function content(panel: Panel, props: Props) {
  switch (panel) {
    case 'events':
      return <Events {...props} />;
    case 'memory':
      return <Memory {...props} />;
    case 'walk':
      return <Walk {...props} />;
    case 'tables':
      return <Tables {...props} />;
    case 'cpus':
      return <Cpus {...props} />;
    case 'screen':
      return <Screen {...props} />;
    case 'reads':
      return <Reads {...props} />;
    case 'reports':
      return <Reports {...props} />;
    case 'exposure':
      return <Exposure {...props} />;
    case 'difference':
      return <Difference {...props} />;
  }
}

export function Panels(props: Props) {
  const { place, setPlace, frame } = props;
  const counts: Readonly<Partial<Record<Panel, number>>> = {
    events: frame.events.length,
    reads: frame.reads?.filter(({ intact }) => !intact).length ?? 0,
    reports: frame.reports?.length ?? 0,
  };
  const move = (by: number): void => {
    const next = PANELS[(PANELS.indexOf(place.panel) + by + PANELS.length) % PANELS.length];
    if (next === undefined) return;
    setPlace({ panel: next });
    document.getElementById(`tab-${next}`)?.focus();
  };
  return (
    <section class="panels">
      <div class="tabs" role="tablist" aria-label="What is shown">
        {PANELS.map((panel) => (
          <button
            type="button"
            role="tab"
            id={`tab-${panel}`}
            aria-selected={panel === place.panel}
            aria-controls="panel"
            tabIndex={panel === place.panel ? 0 : -1}
            onClick={() => {
              setPlace({ panel });
            }}
            onKeyDown={({ key }) => {
              if (key === 'ArrowRight') move(1);
              if (key === 'ArrowLeft') move(-1);
            }}
          >
            {TITLES[panel]}
            {counts[panel] !== undefined && counts[panel] > 0 && (
              <span class="count"> {counts[panel]}</span>
            )}
          </button>
        ))}
      </div>
      <div
        id="panel"
        class="panel"
        role="tabpanel"
        aria-labelledby={`tab-${place.panel}`}
        tabIndex={0}
      >
        {content(place.panel, props)}
      </div>
    </section>
  );
}
