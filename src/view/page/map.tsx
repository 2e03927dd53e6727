/** Physical memory as a map of tiles. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { own } from '../../base/own.js';
import type { Place } from '../choice.js';
import type { Frame, RegionRow } from '../messages.js';
import { LAYERS, type Layer, type Tiles } from '../layers.js';
import type { Asker } from './asker.js';
import { coloursOf, variableOf } from './colours.js';
import { hex, rangeText, shown, sizeText } from './format.js';
import { useAnswer } from './use-answer.js';
import type { RunningBoot } from './use-boot.js';
import {
  columnsOf,
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

/** A tile in words. */
function tileText(tiles: Tiles, index: number, regions: readonly RegionRow[]): string {
  const each = tiles.size / tiles.tiles;
  const at = tiles.base + index * each;
  const code = tiles.names[tiles.codes[index] ?? 0] ?? '';
  const percent = (share: Uint8Array | undefined): string =>
    `${Math.round((100 * (share?.[index] ?? 0)) / 255)} %`;
  const shares =
    code === 'mixed' ? ` (${percent(tiles.plain)} plain, ${percent(tiles.cipher)} cipher)` : '';
  const names = regions
    .filter(({ base, size }) => base < at + each && at < base + size)
    .map(({ name }) => name);
  const where = names.length === 0 ? '' : `; ${names.slice(0, 4).join(', ')}`;
  return `${rangeText(at, each)}: ${shown(code)}${shares}${shown(where)}`;
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
  const [index, setIndex] = useState(0);
  const [over, setOver] = useState<number>();
  const [marked, setMarked] = useState<RegionRow>();
  const go = (next: Window): void => {
    setIndex(0);
    setOver(undefined);
    setPlace({ map: next });
  };
  const each = window.size / tileWindow.tiles;
  const addressOf = (tile: number): number => window.base + tile * each;
  const select = (tile: number): void => {
    setIndex(tile);
    setPlace({ place: hex(addressOf(tile)), panel: 'memory' });
  };
  const regions = frame.regions;
  const same = tiles?.base === window.base && tiles.size === window.size && tiles.layer === layer;
  const told = tiles !== undefined && same ? tileText(tiles, over ?? index, regions) : '…';
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
      <Canvas
        tiles={tiles}
        index={index}
        marked={marked}
        over={setOver}
        select={select}
        move={setIndex}
        zoomIn={(tile) => {
          if (window.size > SMALLEST) go(zoomIn(window, addressOf(tile)));
        }}
        zoomOut={() => {
          go(zoomOut(window, end));
        }}
      />
      <p class="told" id="tile" role="status">
        {told}
      </p>
      {tiles !== undefined && <Legend tiles={tiles} />}
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

interface CanvasProps {
  readonly tiles: Tiles | undefined;
  readonly index: number;
  readonly marked: RegionRow | undefined;
  readonly over: (tile: number | undefined) => void;
  readonly select: (tile: number) => void;
  readonly move: (tile: number) => void;
  readonly zoomIn: (tile: number) => void;
  readonly zoomOut: () => void;
}

/** Device-independent pixels of the canvas (our choice): a tile of 64 × 64 ones has 8. */
const SIDE = 512;

function Canvas({ tiles, index, marked, over, select, move, ...zoom }: CanvasProps) {
  const ref = useRef<HTMLCanvasElement>(null);
  const columns = tiles === undefined ? 1 : columnsOf(tiles);
  const cell = SIDE / columns;
  const rows = tiles === undefined ? 1 : tiles.tiles / columns;
  useEffect(() => {
    const canvas = ref.current;
    const context = canvas?.getContext('2d');
    if (canvas === null || context === null || context === undefined || tiles === undefined) return;
    const draw = (): void => {
      const style = getComputedStyle(canvas);
      context.clearRect(0, 0, canvas.width, canvas.height);
      for (const [i, colour] of coloursOf(tiles, style).entries()) {
        context.fillStyle = colour;
        const [x, y] = [(i % columns) * cell, Math.floor(i / columns) * cell];
        context.fillRect(x, y, cell, cell);
      }
      context.strokeStyle = style.getPropertyValue('--ink').trim();
      context.lineWidth = 2;
      if (marked !== undefined) {
        const each = tiles.size / tiles.tiles;
        const first = Math.max(0, Math.floor((marked.base - tiles.base) / each));
        const last = Math.min(
          tiles.tiles,
          Math.ceil((marked.base + marked.size - tiles.base) / each),
        );
        for (let i = first; i < last; i++) {
          context.strokeRect(
            (i % columns) * cell + 1,
            Math.floor(i / columns) * cell + 1,
            cell - 2,
            cell - 2,
          );
        }
      }
      context.strokeRect((index % columns) * cell, Math.floor(index / columns) * cell, cell, cell);
    };
    draw();
    const dark = matchMedia('(prefers-color-scheme: dark)');
    dark.addEventListener('change', draw);
    return () => {
      dark.removeEventListener('change', draw);
    };
  }, [tiles, index, marked, cell]);
  const tileAt = (event: PointerEvent | MouseEvent): number | undefined => {
    const canvas = ref.current;
    if (canvas === null || tiles === undefined) return undefined;
    const box = canvas.getBoundingClientRect();
    const x = Math.floor(((event.clientX - box.left) * columns) / box.width);
    const y = Math.floor(((event.clientY - box.top) * rows) / box.height);
    const tile = y * columns + x;
    return x >= 0 && x < columns && tile >= 0 && tile < tiles.tiles ? tile : undefined;
  };
  const keys: Readonly<Record<string, () => void>> = {
    ArrowLeft: () => move(Math.max(0, index - 1)),
    ArrowRight: () => move(Math.min((tiles?.tiles ?? 1) - 1, index + 1)),
    ArrowUp: () => move(Math.max(0, index - columns)),
    ArrowDown: () => move(Math.min((tiles?.tiles ?? 1) - 1, index + columns)),
    Enter: () => select(index),
    '+': () => zoom.zoomIn(index),
    '-': () => zoom.zoomOut(),
  };
  return (
    <canvas
      ref={ref}
      id="map"
      class="tiles"
      width={SIDE}
      height={cell * rows}
      tabIndex={0}
      role="application"
      aria-label="Map of memory. Arrow keys move, Enter shows the bytes, plus and minus zoom."
      aria-describedby="tile"
      onPointerMove={(event) => over(tileAt(event))}
      onPointerLeave={() => over(undefined)}
      onClick={(event) => {
        const tile = tileAt(event);
        if (tile !== undefined) select(tile);
      }}
      onDblClick={(event) => {
        const tile = tileAt(event);
        if (tile !== undefined) zoom.zoomIn(tile);
      }}
      onKeyDown={(event) => {
        const action = own(keys, event.key);
        if (action === undefined) return;
        event.preventDefault();
        action();
      }}
    />
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

interface RegionsProps {
  readonly regions: readonly RegionRow[];
  readonly mark: (region: RegionRow | undefined) => void;
  readonly open: (region: RegionRow) => void;
}

function Regions({ regions, mark, open }: RegionsProps) {
  const sorted = [...regions].sort((a, b) => a.base - b.base || b.size - a.size);
  return (
    <details class="regions" open>
      <summary>{regions.length} regions</summary>
      <table id="regions">
        <thead>
          <tr>
            <th scope="col">Region</th>
            <th scope="col">At</th>
            <th scope="col">Size</th>
            <th scope="col">In DRAM</th>
          </tr>
        </thead>
        <tbody>
          {sorted.map((region) => (
            <tr onPointerEnter={() => mark(region)} onPointerLeave={() => mark(undefined)}>
              <td>
                <button
                  type="button"
                  class="link"
                  onFocus={() => mark(region)}
                  onBlur={() => mark(undefined)}
                  onClick={() => open(region)}
                >
                  {shown(region.name)}
                </button>
              </td>
              <td class="mono">{hex(region.base)}</td>
              <td>{sizeText(region.size)}</td>
              <td>
                <span class={`state ${region.state}`}>{region.state}</span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}
