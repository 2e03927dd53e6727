/** Physical memory as a map of tiles. */
import { useEffect, useState } from 'preact/hooks';
import type { Place } from '../choice.js';
import type { Frame, RangeDetails, RegionRow } from '../messages.js';
import { LAYERS, type Layer, type Tiles } from '../layers.js';
import type { Asker } from './asker.js';
import { variableOf } from './colours.js';
import { hex, rangeText, shown, sizeText } from './format.js';
import { Canvas } from './map-canvas.js';
import { Regions } from './regions.js';
import { useAnswer } from './use-answer.js';
import type { RunningBoot } from './use-boot.js';
import {
  SMALLEST,
  tilesIn,
  validWindow,
  wholeOf,
  windowAround,
  zoomIn,
  zoomOut,
  type Window,
} from './window.js';

/** What each panel has. */
export interface ViewProps {
  readonly boot: RunningBoot;
  readonly label: string;
  /** Changes with the boot and the label. */
  readonly key: string;
  readonly asker: Asker;
  readonly frame: Frame;
  readonly place: Place;
  readonly setPlace: (next: Partial<Place>) => void;
}

/** The map begins where the kernel is: this much memory (our choice). */
const FIRST_SIZE = 32 << 20;

const LAYER_NAMES: Readonly<Record<Layer, string>> = {
  dram: 'DRAM: what a probe on the bus sees',
  cache: 'Cached lines and their C-bit',
  owners: 'Owners',
  exposure: 'In the clear',
};

const isLayer = (text: string): text is Layer => LAYERS.some((each) => each === text);

/** Most names, owners and writers of a tile that are told (our choice). */
const MOST_TOLD = 4;

/** The first of some names, and how many more there are. */
function firstOf(names: readonly string[]): string {
  const more = names.length - MOST_TOLD;
  return [...names.slice(0, MOST_TOLD), ...(more > 0 ? [`${more} more`] : [])].join(', ');
}

/** The details of a tile in words. */
function detailsText({ names, owners, writers, cached, dirty }: RangeDetails): string {
  const parts = [
    names.length > 0 && firstOf(names),
    owners.length > 0 && firstOf(owners),
    writers.length > 0 && `written by ${firstOf(writers)}`,
    cached > 0 && `${cached} lines cached, ${dirty} dirty`,
  ];
  return parts.filter((part) => part !== false).join('; ');
}

/** A tile in words, but for its details. */
function tileText(tiles: Tiles, index: number): string {
  const each = tiles.size / tiles.tiles;
  const at = tiles.base + index * each;
  const code = tiles.names[tiles.codes[index] ?? 0] ?? '';
  const percent = (share: Uint8Array | undefined): string =>
    `${Math.round((100 * (share?.[index] ?? 0)) / 255)} %`;
  const shares =
    code === 'mixed' ? ` (${percent(tiles.plain)} plain, ${percent(tiles.cipher)} cipher)` : '';
  return `${rangeText(at, each)}: ${shown(code)}${shares}`;
}

/** The tile with the first byte of a region or address; 0 if it is not in the window, or is a symbol. */
function tileOfPlace(
  place: string,
  regions: readonly RegionRow[],
  { base, size }: Window,
  each: number,
): number {
  const region = regions.find(({ name }) => name === place);
  const at = region?.base ?? (/^0x[0-9a-f]+$/i.test(place) ? Number(place) : NaN);
  return at >= base && at < base + size ? Math.floor((at - base) / each) : 0;
}

export function MemoryMap(props: ViewProps) {
  const { boot, label, asker, frame, place, setPlace } = props;
  const { end, kernelAt } = boot.begun;
  const layer = isLayer(place.layer) ? place.layer : 'dram';
  const window = validWindow(
    place.map ?? { base: kernelAt - (kernelAt % FIRST_SIZE), size: FIRST_SIZE },
    end,
  );
  const tileWindow = tilesIn(window);
  const answer = useAnswer(
    asker,
    'tiles',
    { label, layer, window: tileWindow },
    `${props.key} ${layer} ${window.base} ${window.size}`,
  );
  const tiles = answer.value;
  // The tile that the keyboard has gone to; undefined: the one of the place.
  const [moved, move] = useState<number>();
  const [over, setOver] = useState<number>();
  const [marked, setMarked] = useState<RegionRow>();
  useEffect(() => {
    move(undefined);
  }, [place.place, window.base, window.size]);
  const go = (next: Window): void => {
    setOver(undefined);
    setPlace({ map: next });
  };
  const each = window.size / tileWindow.tiles;
  const addressOf = (tile: number): number => window.base + tile * each;
  const index = moved ?? tileOfPlace(place.place, frame.regions, window, each);
  const select = (tile: number): void => {
    setPlace({ place: hex(addressOf(tile)), panel: 'memory' });
  };
  const regions = frame.regions;
  const shownAt = addressOf(over ?? index);
  const details = useAnswer(
    asker,
    'range',
    { label, base: shownAt, size: each },
    `${props.key} ${shownAt} ${each}`,
  ).value;
  const same = tiles?.base === window.base && tiles.size === window.size && tiles.layer === layer;
  const told = tiles !== undefined && same ? tileText(tiles, over ?? index) : '…';
  return (
    <section class="map" aria-label="Memory">
      <div class="buttons">
        <label>
          <span class="unseen">Layer</span>
          <select
            id="layer"
            value={layer}
            onChange={({ currentTarget }) => {
              setPlace({ layer: currentTarget.value });
            }}
          >
            {LAYERS.map((name) => (
              <option value={name}>{LAYER_NAMES[name]}</option>
            ))}
          </select>
        </label>
        <button type="button" id="zoom-whole" onClick={() => go(wholeOf(end))}>
          Whole machine
        </button>
        <button
          type="button"
          id="zoom-out"
          disabled={window.size >= wholeOf(end).size}
          onClick={() => go(zoomOut(window, end))}
        >
          Zoom out
        </button>
        <button
          type="button"
          id="zoom-in"
          disabled={window.size <= SMALLEST}
          onClick={() => go(zoomIn(window, addressOf(index)))}
        >
          Zoom in
        </button>
      </div>
      <p class="soft" id="window">
        {rangeText(window.base, window.size)}, a tile is {sizeText(each)}
      </p>
      {tiles !== undefined && <Legend tiles={tiles} />}
      <Canvas
        tiles={tiles}
        index={index}
        marked={marked}
        over={setOver}
        select={select}
        move={move}
        zoomIn={(tile) => {
          if (window.size > SMALLEST) go(zoomIn(window, addressOf(tile)));
        }}
        zoomOut={() => {
          go(zoomOut(window, end));
        }}
      />
      <p class="told" id="tile" role="status">
        {told}
        {details?.base === shownAt && shown(`; ${detailsText(details)}`)}
      </p>
      {answer.error !== undefined && <p class="error">{answer.error}</p>}
      <Regions
        regions={regions}
        mark={setMarked}
        open={({ base, size, name }) => {
          setPlace({ map: windowAround(base, size, end), place: name, panel: 'memory' });
        }}
      />
    </section>
  );
}

/** Most names of the legend: more owners are told by their tile. */
const MOST_NAMES = 12;

function Legend({ tiles }: { tiles: Tiles }) {
  const used = [...new Set(tiles.codes)].sort((a, b) => a - b);
  return (
    <ul class="legend">
      {used.slice(0, MOST_NAMES).map((code) => (
        <li>
          <span class="swatch" style={{ background: `var(${variableOf(tiles.layer, code)})` }} />
          {shown(tiles.names[code] ?? '')}
        </li>
      ))}
      {used.length > MOST_NAMES && <li class="soft">{used.length - MOST_NAMES} more</li>}
    </ul>
  );
}
