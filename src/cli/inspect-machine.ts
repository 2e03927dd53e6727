/** The views of `sme-boot inspect` of registers, of the memory engine, and of the plaintext in RAM. */
import { hex, PAGE_SIZE } from '../machine/address.js';
import type { Cpu } from '../machine/cpu/cpu.js';
import { ACTIVITY, type Activity } from '../machine/cpu/cpu-core.js';
import { MEMTYPE_NAMES, patTypes } from '../machine/cpu/memory-types.js';
import { bitNames, CR0, CR4, EFER, GENERAL_REGISTERS } from '../machine/cpu/registers.js';
import type { InspectedBoot } from '../sequencer/inspected-boot.js';
import { exposedBy, rangeText } from '../inspect/exposed.js';
import { keysInUse, type KeyUse } from '../inspect/keys.js';
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

/** The activities of a CPU, by ACTIVITY. */
const ACTIVITIES: Readonly<Record<Activity, string>> = {
  [ACTIVITY.running]: 'running',
  [ACTIVITY.waitForSipi]: 'waits for a STARTUP IPI',
  [ACTIVITY.shutdown]: 'shut down',
};

/** The registers of a CPU. */
export function registers(boot: InspectedBoot, cpu: Cpu): View {
  const executed = boot.registers(cpu.id);
  const known = GENERAL_REGISTERS.filter((name) => executed !== null || cpu.knows(name));
  const general = Object.fromEntries(
    known.map((name) => [name, hex(executed?.general.get(name) ?? cpu[name])]),
  );
  const pat = (patTypes(cpu.msrs.get('PAT')) ?? []).map((type) => MEMTYPE_NAMES[type]);
  const cr3 = cpu.decodeEntry(cpu.cr3, PAGE_SIZE);
  const efer = Number(cpu.msrs.get('EFER'));
  const data = {
    cpu: cpu.id,
    activity: ACTIVITIES[cpu.activity],
    mode: cpu.mode,
    ...general,
    rip: hex(cpu.rip),
    rflags: hex(executed?.rflags ?? cpu.rflags),
    cr0: { value: hex(cpu.cr0), bits: bitNames(CR0, cpu.cr0) },
    cr2: hex(cpu.cr2),
    cr3: { value: hex(cpu.cr3), table: hex(cr3.pa), c: cr3.c },
    cr4: { value: hex(cpu.cr4), bits: bitNames(CR4, cpu.cr4) },
    EFER: { value: hex(efer), bits: bitNames(EFER, efer) },
    SYSCFG: { value: hex(cpu.msrs.get('SYSCFG')), MemEncryptionModEn: cpu.encryption },
    PAT: { value: hex(cpu.msrs.get('PAT')), slots: pat },
    IDTR: { base: hex(cpu.idtr.base), limit: cpu.idtr.limit },
    GDTR: { base: hex(cpu.gdtr.base), limit: cpu.gdtr.limit },
    cpl: cpu.cpl,
    // A register that was never set is unknown, not zero: the kernel's functions are modelled, not executed.
    ...(executed === null && {
      notModelled: [
        ...GENERAL_REGISTERS.filter((name) => !cpu.knows(name)),
        'rflags CF PF AF ZF SF OF IF',
      ],
    }),
  };
  const last = (name: string): string =>
    executed === null && name !== 'rsp' && name in general
      ? '  last modelled write; the code since is not executed'
      : '';
  const shown = (value: unknown): string =>
    typeof value === 'object' && value !== null
      ? Object.entries(value)
          .map(([key, v]) => (key === 'value' ? String(v) : `${key} ${String(v)}`))
          .join('  ')
      : String(value);
  const rows = Object.entries(data).map(([name, value]) =>
    Array.isArray(value)
      ? { name: 'not modelled', value: value.join(', ').toUpperCase(), note: '' }
      : { name, value: shown(value), note: last(name) },
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
