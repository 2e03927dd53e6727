/** What the viewer's page is told, against the library and the command line. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { mappedRanges } from '../../src/inspect/tables.js';
import { registersOf } from '../../src/inspect/registers.js';
import { pa } from '../../src/machine/address.js';
import { createBoot } from '../../src/node/library.js';
import { bootOptions } from '../../src/cli/run-options.js';
import { Boot } from '../../src/sequencer/boot.js';
import { stateName } from '../../src/sequencer/final-state.js';
import { exhaustiveTest, firstOf } from '../cases.js';
import { sme } from '../cli/io.js';
import { choice, scenarios, Session } from './session.js';

const MINIMAL = choice('bios-minimal');
const without = choice('bios-minimal', { without: ['09/initrd'] });

describe('a boot in the viewer', () => {
  const session = new Session();
  let labels: string[];
  beforeAll(() => {
    labels = session.boot(MINIMAL).map(({ label }) => label);
  });

  test('has the steps and the outcome of the same boot elsewhere', () => {
    const boot = createBoot('bios-minimal');
    const trace = boot.run();
    expect(labels).toEqual(trace.steps.map(({ label }) => label));
    const last = session.ask('frame', { label: labels.at(-1) ?? '' });
    expect(last.outcome).toEqual(trace.outcome);
    expect(last.reports).toEqual(trace.reports);
    expect(last.reads).toEqual(trace.consumed);
  });

  // In no order of the boot: each state is made from its snapshot.
  const some = ['run_init', 'startup_64', 'init_mem_mapping', 'startup_64:phys_base', 'mm_init'];
  test.each(firstOf(2, some))('shows the state after %s', (label) => {
    const boot = new Boot(bootOptions('bios-minimal', {}));
    boot.runTo(label);
    const frame = session.ask('frame', { label });
    expect(frame.events).toEqual(boot.recorder.eventsOf(label));
    expect(frame.cpus).toEqual(boot.machine.cpus.map((cpu) => registersOf(boot, cpu)));
    expect(frame.reports).toEqual(boot.reports());
    expect(frame.regions).toEqual(
      boot.regions().map(({ name, base, size }) => ({
        name,
        base,
        size,
        state: stateName(boot.machine.dram.stateOf(pa(base), size)),
      })),
    );
    expect(session.ask('tables', { label, cpu: 0 })).toEqual(
      mappedRanges(boot.machine, boot.machine.cpus[0]),
    );
  });

  test('shows bytes as the command line does', async () => {
    const label = 'startup_64:phys_base';
    const { dram, c0, c1 } = session.ask('memory', { label, place: 'kernel text', length: 64 });
    for (const [as, bytes] of Object.entries({ dram, c0, c1 })) {
      const { out } = await sme([
        ...['inspect', 'bios-minimal', '--at', label, '--mem', 'kernel text:64', '--as', as],
        ...['--format', 'json'],
      ]);
      const { mem } = JSON.parse(out) as { mem: { bytes: string } };
      expect([as, Buffer.from(bytes).toString('hex')]).toEqual([as, mem.bytes]);
    }
    expect(dram).not.toEqual(c1);
  });

  test('walks as the command line does, with the cached lines of the entries', async () => {
    const label = 'startup_64:switch';
    const rows = session.ask('walk', { label, place: '_text', cpu: 0 });
    const { out } = await sme([
      ...['inspect', 'bios-minimal', '--at', label, '--vtop', '_text', '--format', 'json'],
    ]);
    const { vtop } = JSON.parse(out) as { vtop: object };
    expect(vtop).toMatchObject({ levels: rows.walk.levels, pa: rows.walk.pa });
    expect(rows.cached).toHaveLength(rows.walk.levels.length);
    expect(rows.symbol).toBe('startup_64');
  });

  test('tells which memory is in the clear as the command line does', () => {
    const boot = createBoot('bios-minimal');
    boot.recordBus();
    boot.runTo('reserve_initrd');
    const { dram, cache, ranges, remnants } = boot.exposure();
    const told = session.ask('exposure', { label: 'reserve_initrd' });
    expect(told).toMatchObject({ dram, cache, ranges, remnants });
    expect(new Set(told.ranges.map(({ why }) => why.reason)).size).toBeGreaterThan(1);
    expect(told.ranges.every(({ why }) => why.reason !== 'not-known')).toBe(true);
  });

  test('names who and what is in a range', () => {
    const { regions } = session.ask('frame', { label: 'reserve_initrd' });
    const text = regions.find(({ name }) => name === 'kernel text');
    const at = { label: 'reserve_initrd', base: text?.base ?? 0, size: 4096 };
    const details = session.ask('range', at);
    expect(details.names[0]).toBe('startup_64');
    expect(details.owners).toEqual(['kernel text']);
    // The routine that encrypted the kernel in place.
    expect(details.writers).toEqual(['.Lencrypt_start']);
    const { lines } = session.ask('memory', { ...at, place: 'kernel text', length: 4096 });
    expect([...new Set(lines.map(({ writer }) => writer))]).toEqual(details.writers);
  });

  exhaustiveTest('has names for the places that it takes', () => {
    const label = labels.at(-1) ?? '';
    const names = session.ask('names', { label });
    expect(names).toEqual(expect.arrayContaining(['kernel text', 'initrd', 'early_level4_pgt']));
    for (const place of names) session.ask('memory', { label, place, length: 1 });
  });

  test.each([
    ['frame', { label: 'nope' }, 'E_LABEL'],
    ['memory', { label: 'run_init', place: 'nope', length: 16 }, 'E_PLACE'],
    ['memory', { label: 'run_init', place: 'initrd', length: 0 }, 'E_MEM'],
    ['memory', { label: 'run_init', place: 'initrd', length: 4097 }, 'E_MEM'],
    ['walk', { label: 'run_init', place: '_text', cpu: 7 }, 'E_USAGE'],
    ['tables', { label: 'run_init', cpu: -1 }, 'E_USAGE'],
  ] as const)('refuses %s %j', (name, ask, code) => {
    expect(() => session.ask(name, ask)).toThrow(code);
  });

  test('gives the command line that makes the same boot', () => {
    const begun = session.ask('boot', {
      side: 'other',
      choice: choice('bios-minimal', {
        stage: 9,
        activate: true,
        without: ['09/initrd'],
        stub: true,
        set: ['machine.ram=256MiB', 'cmdline="mem_encrypt=on"'],
      }),
    });
    expect(begun.words).toBe(
      `sme-boot run bios-minimal --stage 9 --activate --without 09/initrd --stub --set machine.ram=256MiB --set 'cmdline="mem_encrypt=on"'`,
    );
    expect(begun.cmdline).toBe('mem_encrypt=on');
    expect(begun.end).toBe(256 * 2 ** 20);
  });
});

describe('two boots in the viewer', () => {
  const session = new Session();
  beforeAll(() => {
    session.boot(MINIMAL, 'other');
    session.boot(without, 'shown');
  });

  test('differ as in diff', async () => {
    const { traces } = session.ask('difference', { label: 'reserve_initrd' });
    const { out } = await sme([
      ...['diff', 'bios-minimal', 'bios-minimal --without 09/initrd', '--format', 'json'],
    ]);
    const { steps, consumed, outcome, reports } = JSON.parse(out) as Record<string, unknown>;
    expect(traces).toMatchObject({ steps, consumed, outcome, reports });
  });

  test('have other bytes where the hunk has encrypted nothing', () => {
    const { memory, at, more } = session.ask('difference', { label: 'reserve_initrd' });
    expect([at, more]).toEqual(['reserve_initrd', 0]);
    const [a, b] = [MINIMAL, without].map((each) => {
      const boot = new Boot(bootOptions('bios-minimal', { without: [...each.without] }));
      boot.runTo('reserve_initrd');
      return boot.machine.dram;
    });
    for (const { base, size } of memory) {
      expect(a?.peek(pa(base), size)).not.toEqual(b?.peek(pa(base), size));
    }
    const { base = 0, size = 0 } = memory.find(({ name }) => name === 'initrd') ?? {};
    expect(size).toBeGreaterThan(0);
    expect(a?.lastWrite(pa(base))?.key).toBe(1);
    expect(b?.lastWrite(pa(base))?.key).toBe(0);
  });

  exhaustiveTest('of one choice do not differ', () => {
    const same = new Session();
    same.boot(MINIMAL, 'other');
    same.boot(MINIMAL, 'shown');
    const { traces, memory } = same.ask('difference', { label: 'run_init' });
    expect(memory).toEqual([]);
    expect(traces).toMatchObject({ steps: [], consumed: [], final: [], outcome: [], reports: [] });
  });

  exhaustiveTest('are compared at the last label that both have', () => {
    const early = new Session();
    early.boot(without, 'other');
    const steps = early.boot(MINIMAL, 'shown');
    const { at } = early.ask('difference', { label: steps.at(-1)?.label ?? '' });
    expect(at).not.toBe(steps.at(-1)?.label);
    expect(steps.map(({ label }) => label)).toContain(at);
  });
});

describe('what cannot be booted', () => {
  const session = new Session();
  test.each([
    [choice('bios-minmal'), 'E_SCENARIO_UNKNOWN'],
    [choice('bios-minimal', { without: ['09/initr'] }), 'E_HUNK'],
    [choice('bios-minimal', { with: ['09/nope'] }), 'E_ALTERNATIVE'],
    [choice('bios-minimal', { without: ['03/mask'] }), 'E_HUNK'],
    [choice('bios-minimal', { set: ['machine.rm=1GiB'] }), 'E_UNKNOWN_KEY'],
    [choice('bios-minimal', { set: ['machine.ram=1'] }), 'E_SCENARIO'],
    [choice('bios-minimal', { set: ['nothing'] }), 'E_SET'],
  ])('%j: %s', (of, code) => {
    expect(() => session.ask('boot', { side: 'shown', choice: of })).toThrow(code);
  });

  test('leaves the boot before, to look at', () => {
    const other = new Session();
    const steps = other.boot(MINIMAL);
    const of = choice('bios-minimal', { set: ['kernel.size=4096'] });
    expect(() => other.ask('boot', { side: 'shown', choice: of })).toThrow('E_KERNEL_SIZE');
    expect(other.ask('frame', { label: 'run_init' }).label).toBe('run_init');
    expect(steps.length).toBeGreaterThan(30);
  });

  test('is told before there is a boot', () => {
    expect(() => session.ask('frame', { label: 'startup_64' })).toThrow('nothing has been booted');
  });
});

test('the command line names the files of the page', () => {
  const session = new Session({ files: { initrd: new Uint8Array(16) } });
  const { words } = session.ask('boot', { side: 'shown', choice: MINIMAL });
  expect(words).toBe('sme-boot run bios-minimal --stage 18 --initrd FILE');
});

test('without the sanitizer there are no reports, and the page is told', () => {
  const session = new Session({ sanitize: false, scenarios: scenarios('bios-minimal') });
  const { words } = session.ask('boot', { side: 'shown', choice: MINIMAL });
  expect(words).toContain('--no-sanitize');
  const { steps } = session.ask('step', { side: 'shown' });
  expect(session.ask('frame', { label: steps[0]?.label ?? '' }).reports).toBeUndefined();
});
