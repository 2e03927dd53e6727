/** The tiles as a picture, with pointer and keyboard. */
import { useEffect, useRef } from 'preact/hooks';
import { own } from '../../base/own.js';
import type { RegionRow } from '../messages.js';
import type { Tiles } from '../layers.js';
import { coloursOf } from './colours.js';
import { columnsOf } from './window.js';

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

export function Canvas({ tiles, index, marked, over, select, move, ...zoom }: CanvasProps) {
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
      // In two colours, one of which is seen on any tile.
      for (const [colour, width] of [
        ['--paper', 4],
        ['--ink', 2],
      ] as const) {
        context.strokeStyle = style.getPropertyValue(colour).trim();
        context.lineWidth = width;
        context.strokeRect(
          (index % columns) * cell,
          Math.floor(index / columns) * cell,
          cell,
          cell,
        );
      }
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
