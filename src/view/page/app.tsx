/** The viewer: what is chosen on the left, the boot on the right. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import { addressOf, fragmentOf, type Address, type Choice, type Place } from '../choice.js';
import type { Offer, Setup } from '../messages.js';
import { Asker } from './asker.js';
import { Change } from './change.js';
import type { EncodedFiles, ViewData } from './data.js';
import { shown } from './format.js';
import { Panels } from './panels.js';
import { Story } from './story.js';
import { Timeline } from './timeline.js';
import { Tour } from './tour.js';
import { useAnswer } from './use-answer.js';
import { useBoot } from './use-boot.js';
import { MemoryMap } from './map.js';

const bytesOf = (text: string): Uint8Array =>
  Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

/** The files of the page as bytes. */
function decoded({ kernel, systemMap, initrd, dtb }: EncodedFiles): Setup['files'] {
  return {
    kernel: kernel && { name: kernel.name, bytes: bytesOf(kernel.bytes) },
    systemMap,
    initrd: initrd === undefined ? undefined : bytesOf(initrd),
    dtb: dtb === undefined ? undefined : bytesOf(dtb),
  };
}

const START: Place = { panel: 'events', place: 'kernel text', layer: 'dram', filter: '' };

/** The fragment of the window's address. */
const fragment = (): string => window.location.hash.slice(1);

/** Whether one address shows another boot, panel or place than the other: the Back button goes from one to the other. */
function isOtherView(a: Address, b: Address): boolean {
  if (JSON.stringify(a.choice) !== JSON.stringify(b.choice)) return true;
  return a.place.panel !== b.place.panel || a.place.place !== b.place.place;
}

/** The state that is in the address: a change of either changes the other. */
function useAddress(initial: Address, lastStage: number) {
  const read = () => addressOf(fragment(), initial, lastStage);
  const [address, set] = useState(read);
  useEffect(() => {
    const follow = (): void => {
      set(read());
    };
    window.addEventListener('hashchange', follow);
    return () => {
      window.removeEventListener('hashchange', follow);
    };
  }, [lastStage]);
  const change = (next: Address): void => {
    const text = fragmentOf(next, initial);
    const url = text === '' ? '#' : `#${text}`;
    if (isOtherView(next, address)) window.history.pushState(null, '', url);
    else window.history.replaceState(null, '', url);
    set({ ...next, unread: [] });
  };
  return { address, change };
}

/** Tells the page to load again when the server says that a file has changed. */
function useReload(wanted: boolean): void {
  useEffect(() => {
    if (!wanted) return undefined;
    const source = new EventSource('events');
    source.onmessage = () => {
      window.location.reload();
    };
    return () => {
      source.close();
    };
  }, [wanted]);
}

interface Props {
  readonly data: ViewData;
  readonly worker: string;
}

export function App({ data, worker }: Props) {
  const [crash, setCrash] = useState<string>();
  // Counts the files that were taken: two may have one name.
  const [{ files, taken }, take] = useState(() => ({ files: decoded(data.files), taken: 0 }));
  const asker = useMemo(() => new Asker(worker, setCrash), []);
  const offer = useAnswer(
    asker,
    'offer',
    { scenarios: data.scenarios, files, sanitize: data.sanitize },
    String(taken),
  );
  useReload(data.reload);
  const setKernel = (kernel: Setup['files']['kernel']): void => {
    take({ files: { ...files, kernel, systemMap: undefined }, taken: taken + 1 });
  };
  if (crash !== undefined) {
    return (
      <p class="error" role="alert">
        The simulator stopped at an error of its own: {crash}
      </p>
    );
  }
  if (offer.error !== undefined) {
    return (
      <>
        <p class="error" role="alert" id="offer-error">
          {offer.error}
        </p>
        <button
          type="button"
          onClick={() => {
            setKernel(undefined);
          }}
        >
          Go on with the built-in kernel
        </button>
      </>
    );
  }
  if (offer.value === undefined) return <p class="wait">Starting the simulator…</p>;
  return (
    <Viewer
      key={offer.value.kernel?.digest ?? ''}
      data={data}
      asker={asker}
      offer={offer.value}
      setKernel={setKernel}
    />
  );
}

interface ViewerProps {
  readonly data: ViewData;
  readonly asker: Asker;
  readonly offer: Offer;
  readonly setKernel: (kernel: Setup['files']['kernel']) => void;
}

function Viewer({ data, asker, offer, setKernel }: ViewerProps) {
  const initial: Address = { choice: data.choice, place: START };
  const { address, change } = useAddress(initial, offer.stages);
  const { choice, place } = address;
  const [base, setBase] = useState(data.choice);
  const { boot, error } = useBoot(asker, 'shown', choice);
  const compared = place.panel === 'difference' && boot?.ended === true;
  const other = useBoot(asker, 'other', compared ? base : undefined);
  const done = boot?.steps.map(({ label }) => label) ?? [];
  const label = place.at !== undefined && done.includes(place.at) ? place.at : done.at(-1);
  const key = `${boot?.run ?? 0} ${label ?? ''}`;
  const frame = useAnswer(asker, 'frame', label === undefined ? undefined : { label }, key);
  const setPlace = (next: Partial<Place>): void => {
    change({ choice, place: { ...place, ...next } });
  };
  const setChoice = (next: Partial<Choice>): void => {
    change({ choice: { ...choice, ...next }, place });
  };
  const current = frame.value;
  // What is shown is of the step before, until the answer comes.
  const waits = current !== undefined && current.label !== label;
  const all = boot === undefined ? undefined : { boot, label: label ?? '', key, asker };
  return (
    <>
      <header class="head">
        <h1>{shown(boot?.begun.title ?? 'sme-boot')}</h1>
        <p class="soft">
          The boot path of Linux on an AMD machine with memory encryption, simulated in this page.
        </p>
      </header>
      <Tour
        steps={data.tour}
        open={(view) => {
          change(addressOf(view, initial, offer.stages));
        }}
      />
      {address.unread.length > 0 && (
        <p class="error" role="alert">
          The link has parts that this page does not know: {shown(address.unread.join(', '))}
        </p>
      )}
      <div class="columns">
        <Change
          offer={offer}
          scenarios={data.scenarios}
          series={data.series}
          choice={choice}
          initial={data.choice}
          words={boot?.begun.words ?? ''}
          image={boot?.begun.image ?? ''}
          error={error}
          change={setChoice}
          setKernel={setKernel}
        />
        <main>
          {boot !== undefined && (
            <Timeline
              boot={boot}
              label={label}
              wanted={place.at}
              go={(at) => {
                setPlace({ at });
              }}
              stop={() => {
                void asker.ask('stop', { side: 'shown' });
              }}
            />
          )}
          {current !== undefined && (
            <div class={waits ? 'waits' : ''} aria-busy={waits}>
              <Story frame={current} />
            </div>
          )}
          {all !== undefined && current !== undefined && (
            <div class={waits ? 'views waits' : 'views'} aria-busy={waits}>
              <MemoryMap {...all} frame={current} place={place} setPlace={setPlace} />
              <Panels
                {...all}
                frame={current}
                place={place}
                setPlace={setPlace}
                other={{
                  state: other,
                  isBase: JSON.stringify(base) === JSON.stringify(choice),
                  setBase: () => {
                    setBase(choice);
                  },
                }}
              />
            </div>
          )}
          {frame.error !== undefined && (
            <p class="error" role="alert">
              {frame.error}
            </p>
          )}
        </main>
      </div>
      <Glossary terms={data.glossary} />
      <footer class="soft">sme-boot {offer.version}. Nothing is sent anywhere.</footer>
    </>
  );
}

function Glossary({ terms }: { terms: ViewData['glossary'] }) {
  return (
    <details class="glossary" id="glossary">
      <summary>Glossary</summary>
      <dl>
        {terms.map(([term, meaning]) => (
          <>
            <dt>{term}</dt>
            <dd>{meaning}</dd>
          </>
        ))}
      </dl>
    </details>
  );
}
