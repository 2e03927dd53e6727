/** The views of `sme-boot inspect` of registers, of the memory engine, and of the plaintext in RAM. */
import type { Cpu } from '../machine/cpu/cpu.js';
import { GENERAL_REGISTERS } from '../machine/cpu/registers.js';
import type { InspectedBoot } from '../sequencer/inspected-boot.js';
import { exposedBy, rangeText } from '../inspect/exposed.js';
import { keysInUse, type KeyUse } from '../inspect/keys.js';
import { registersOf } from '../inspect/registers.js';
import { registerText } from '../inspect/register-text.js';
import type { Blocks, EngineTraffic } from '../inspect/traffic.js';
import { table } from './columns.js';
import { counted, type View } from './inspect-view.js';

/** The counts of blocks, with their names in a comparison. */
const BLOCKS: readonly (readonly [keyof Blocks, string])[] = [
  ['decrypted', 'blocks decrypted'],
  ['decryptedUnread', 'blocks decrypted and overwritten unread'],
  ['encrypted', 'blocks encrypted'],
  ['plainRead', 'blocks read without a key'],
  ['plainWritten', 'blocks written without a key'],
];

/** What uses a key: `in use by CPUs 0, 1, 64 lines of DRAM, 2 lines of the cache`. */
function useText(use: KeyUse | undefined): string {
  if (use === undefined) return 'made for an earlier access, in use by none now';
  const { cpus, dramLines, cacheLines } = use;
  const users = [
    ...(cpus.length > 0 ? [`${cpus.length === 1 ? 'CPU' : 'CPUs'} ${cpus.join(', ')}`] : []),
    ...(dramLines > 0 ? [`${counted(dramLines, 'line')} of DRAM`] : []),
    ...(cacheLines > 0 ? [`${counted(cacheLines, 'line')} of the cache`] : []),
  ];
  return `in use by ${users.join(', ')}`;
}

/** The memory engine, and what passed it. */
export function engine(boot: InspectedBoot, { blocks }: EngineTraffic): View {
  const uses = keysInUse(boot.machine);
  const data = boot.machine.engine.describe(uses.map(({ id }) => id));
  const formula = data.mode === 'XEX' ? 'C = AES(m ^ T(p)) ^ T(p)' : 'C = AES(m ^ T(p))';
  const lines = [
    `mode ${data.mode}: ${formula} for each 16-byte block, AES-128`,
    'T(p) is the XOR of t_i over the set bits i of the physical address p',
    ...data.keys.map(({ id, key }) => `key ${String(id)}  ${key}`),
    ...data.tweaks.map(({ bit, constant }) => `t_${String(bit).padEnd(2)}   ${constant}`),
    ...data.keys.map(
      ({ id }) => `key ${String(id)}: ${useText(uses.find((use) => use.id === id))}`,
    ),
    ...(data.keys.length === 0 ? ['no key is in use'] : []),
    'blocks between caches and DRAM (without devices and uncached accesses):',
    `  ${String(blocks.decrypted)} decrypted, ${String(blocks.decryptedUnread)} decrypted and overwritten unread`,
    `  ${String(blocks.encrypted)} encrypted`,
    `  without a key: ${String(blocks.plainRead)} read, ${String(blocks.plainWritten)} written`,
  ];
  const keys = data.keys.map((key) => ({
    ...key,
    ...(uses.find(({ id }) => id === key.id) ?? { cpus: [], dramLines: 0, cacheLines: 0 }),
  }));
  return {
    name: 'engine',
    data: { ...data, keys, blocks },
    compared: () => ({
      facts: [
        ...data.keys.flatMap(({ id }) => {
          const use = uses.find((each) => each.id === id);
          return use === undefined ? [] : [{ name: `key ${String(id)}`, value: useText(use) }];
        }),
        ...BLOCKS.map(([name, what]) => ({ name: what, value: blocks[name] })),
      ],
    }),
    text: () => `${lines.join('\n')}\n`,
  };
}

/** Most ranges of a writer in text (our choice). */
const RANGES = 3;

/** The RAM that is in plaintext, by the code that wrote it last. */
export function exposed(boot: InspectedBoot): View {
  const writers = exposedBy(boot);
  const rows = writers.map(({ writer, bytes, ranges }) => {
    const more = ranges.length > RANGES ? [`${String(ranges.length - RANGES)} more`] : [];
    const shown = [...ranges.slice(0, RANGES).map(rangeText), ...more];
    return [writer, `${String(bytes)} bytes`, shown.join(', ')];
  });
  return {
    name: 'exposed',
    compared: () => ({
      ranges: writers.flatMap(({ writer, ranges }) =>
        ranges.map((range) => ({ ...range, value: writer })),
      ),
    }),
    data: writers.map(({ writer, bytes, ranges }) => ({
      writer,
      bytes,
      ranges: ranges.map((range) => ({ pa: rangeText(range), bytes: range.bytes })),
    })),
    text: (columns) => table(rows, columns),
  };
}

const GENERAL: ReadonlySet<string> = new Set(GENERAL_REGISTERS);

/** The registers of a CPU. */
export function registers(boot: InspectedBoot, cpu: Cpu): View {
  const modelled = boot.registers(cpu.id) === null;
  const data = registersOf(boot, cpu);
  const last = (name: string): string =>
    modelled && name !== 'rsp' && GENERAL.has(name)
      ? '  last modelled write; the code since is not executed'
      : '';
  const rows = Object.entries(data).map(([name, value]) =>
    Array.isArray(value)
      ? { name: 'not modelled', value: value.join(', ').toUpperCase(), note: '' }
      : { name, value: registerText(value), note: last(name) },
  );
  return {
    name: 'regs',
    data,
    compared: () => ({ facts: rows.filter(({ name }) => name !== 'not modelled') }),
    text: (columns) =>
      table(
        rows.map(({ name, value, note }) => [name, value + note]),
        columns,
      ),
  };
}
