// Draws docs/rooms.svg: the rooms of src/ and which imports which, read from the imports themselves. An arrow that a way
// over other rooms implies is left out. With --check it only says whether the drawing is up to date.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { PATCH_ROOMS, ROOMS } from './lint/rooms.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const file = join(root, 'docs/rooms.svg');
const roomOf = (path) => {
  const room = path.split('/')[0];
  return PATCH_ROOMS.includes(room) ? 'patches' : room;
};

/** The rooms that each room's files import, by room. */
function importsByRoom() {
  const src = join(root, 'src');
  const imports = new Map(Object.keys(ROOMS).map((room) => [room, new Set()]));
  const files = readdirSync(src, { recursive: true }).map((path) => path.replaceAll('\\', '/'));
  for (const path of files.filter((each) => each.endsWith('.ts'))) {
    const room = roomOf(path);
    const known = imports.get(room);
    if (known === undefined) throw new Error(`scripts/lint/rooms.mjs says nothing of src/${room}`);
    const { importedFiles } = ts.preProcessFile(readFileSync(join(src, path), 'utf8'));
    for (const { fileName } of importedFiles) {
      if (!fileName.startsWith('.')) continue;
      const to = roomOf(posix.join(posix.dirname(path), fileName));
      if (to !== room) known.add(to);
    }
  }
  return imports;
}

/** All rooms that a room reaches over at least one other. */
function reachedBy(imports, room) {
  const reached = new Set();
  const visit = (from) => {
    for (const to of imports.get(from) ?? []) {
      if (reached.has(to)) continue;
      reached.add(to);
      visit(to);
    }
  };
  for (const to of imports.get(room) ?? []) visit(to);
  return reached;
}

const WIDTH = 420;
const HEIGHT = 46;
const GAP = 28;
const MARGIN = 16;
/** Between columns; arrows that pass rows go down in it. */
const LANE = 60;

/** The row of each room, 0 at the bottom: as far down as what it imports allows, or as far up as what imports it does. */
function levels(imports) {
  const rooms = [...imports.keys()];
  const importers = (room) => rooms.filter((each) => imports.get(each).has(room));
  const low = (room) => Math.max(0, ...[...imports.get(room)].map((to) => low(to) + 1));
  const top = Math.max(...rooms.map(low));
  const high = (room) => Math.min(top, ...importers(room).map((from) => high(from) - 1));
  return new Map(rooms.map((room) => [room, { row: high(room), fixed: low(room) === high(room) }]));
}

/** Where each room's box is: what could be in one row only in the first column, what could be in several right of it. */
function placed(imports) {
  const found = levels(imports);
  const top = Math.max(...[...found.values()].map(({ row }) => row));
  const used = new Map();
  const boxes = new Map();
  const order = [...found].sort(([, a], [, b]) => Number(b.fixed) - Number(a.fixed));
  for (const [room, { row }] of order) {
    const column = used.get(row) ?? 0;
    used.set(row, column + 1);
    const [x, y] = [MARGIN + column * (WIDTH + LANE), MARGIN + (top - row) * (HEIGHT + GAP)];
    boxes.set(room, { x, y, row, column });
  }
  return boxes;
}

/** An arrow from a box down to another: straight where no box is between, else down in a lane of its own. */
function arrow(from, to, boxes, lanes) {
  const [x1, y1] = [from.x + WIDTH / 2 + (to.column - from.column) * 40, from.y + HEIGHT];
  const [x2, y2] = [to.x + WIDTH / 2 + (from.column - to.column) * 40, to.y - 3];
  const between = boxes.some(
    ({ row, column }) => column === from.column && row < from.row && row > to.row,
  );
  const free = from.column === to.column ? !between : from.row - to.row === 1;
  if (free) return `${x1},${y1} ${x2},${y2}`;
  const lane = Math.max(from.x, to.x) - LANE / 2 + 12 * lanes.count++;
  const [above, below] = [y1 + GAP / 2, y2 - GAP / 2];
  return `${x1},${y1} ${x1},${above} ${lane},${above} ${lane},${below} ${x2},${below} ${x2},${y2}`;
}

function draw() {
  const imports = importsByRoom();
  const boxes = placed(imports);
  const all = [...boxes.values()];
  const width = Math.max(...all.map(({ x }) => x)) + WIDTH + MARGIN;
  const height = Math.max(...all.map(({ y }) => y)) + HEIGHT + MARGIN;
  const lanes = { count: 0 };
  const lines = [...imports].flatMap(([room, to]) => {
    const implied = reachedBy(imports, room);
    return [...to]
      .filter((each) => !implied.has(each))
      .map((each) => `<polyline points="${arrow(boxes.get(room), boxes.get(each), all, lanes)}"/>`);
  });
  const texts = [...boxes].map(([room, { x, y }]) =>
    [
      `<rect x="${x}" y="${y}" width="${WIDTH}" height="${HEIGHT}" rx="5"/>`,
      `<text x="${x + 10}" y="${y + 19}" class="room">${room}</text>`,
      `<text x="${x + 10}" y="${y + 36}">${ROOMS[room]}</text>`,
    ].join('\n'),
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>The rooms of src/: an arrow is an import; imports that follow from others are left out</title>
<style>
text { font: 12px system-ui, sans-serif; fill: #333 }
rect { fill: #f4f6f8; stroke: #8a97a5 }
polyline { fill: none; stroke: #8a97a5; stroke-width: 1.4; marker-end: url(#head) }
text.room { font-weight: 650; font-size: 14px; fill: #111 }
</style>
<defs><marker id="head" markerWidth="9" markerHeight="8" refX="7" refY="4" orient="auto"><path d="M0 0 8 4 0 8z" fill="#8a97a5"/></marker></defs>
<rect width="${width}" height="${height}" style="fill:#fff;stroke:none"/>
${[...lines, ...texts].join('\n')}
</svg>
`;
}

const text = draw();
if (process.argv.includes('--check')) {
  if (readFileSync(file, 'utf8') !== text) {
    console.error('docs/rooms.svg is not what the imports say: npm run build:rooms');
    process.exitCode = 1;
  }
} else writeFileSync(file, text);
