/** The cache of a scenario: sizes by name, and the order of write-backs. */
import { describe, expect, test } from '@jest/globals';
import { KEY_HOST, KEY_PLAIN, pa, type KeyId } from '../../src/machine/address.js';
import { CPU_MODELS } from '../../src/machine/cpu/cpu-models.js';
import { MEMTYPE } from '../../src/machine/types.js';
import { cacheOf } from '../../src/scenario/cache.js';
import { cpuModelOf } from '../../src/scenario/memory-layout.js';
import { printTrace } from '../../src/trace/yaml-out.js';
import type { Trace } from '../../src/trace/trace.js';
import { boot, scenario } from '../helpers.js';
import { traceOf } from '../shared-traces.js';

const MIB = 2 ** 20;
const geometry = (cpu: string, ...settings: string[]) => {
  const subject = scenario('amd-fam15h', `machine.cpu=${cpu}`, 'firmware={}', ...settings);
  return cacheOf(subject, cpuModelOf(subject));
};

describe('a size by name', () => {
  test.each([
    ['zen-1', 64, 8],
    ['hygon-dhyana', 64, 8],
    ['zen-2', 256, 16],
    ['zen-3', 256, 32],
    ['amd-bulldozer', 16, 8],
  ])('is the L3 of %s: %d MiB, %d MiB of a complex', (cpu, whole, complex) => {
    expect(geometry(cpu, 'machine.cache.size=l3')).toEqual({ size: whole * MIB, ways: 8 });
    expect(geometry(cpu, 'machine.cache.size=l3-ccx')).toEqual({ size: complex * MIB, ways: 8 });
  });

  test.each([
    ['amd-k10', 12, 8, 8],
    ['amd-k10', 12, 12, 12],
    ['intel-broadwell', 35, 8, 32],
    ['intel-broadwell', 35, 20, 20],
    // The limit of machine.cache.size is 256 MiB.
    ['epyc-9654', 384, 8, 256],
    ['zen-5', 512, 16, 256],
    ['epyc-9654', 384, 12, 192],
  ])('is rounded down: %s has %d MiB; of %d ways are %d MiB', (cpu, real, ways, size) => {
    const { l3 } = CPU_MODELS[cpu] ?? {};
    expect((l3?.complexes ?? 0) * (l3?.bytes ?? 0)).toBe(real * MIB);
    const found = geometry(cpu, 'machine.cache.size=l3', `machine.cache.ways=${String(ways)}`);
    expect(found).toEqual({ size: size * MIB, ways });
  });

  test.each(['amd-k8', 'amd-bobcat', 'amd-jaguar'])('is refused for %s, without L3', (cpu) => {
    expect(() => geometry(cpu, 'machine.cache.size=l3')).toThrow(
      `E_CACHE_GEOMETRY: machine.cache.size: ${cpu} has no L3; expected a size in bytes, found l3`,
    );
  });

  test('any other is refused with the names', () => {
    expect(() => scenario('bios-minimal', 'machine.cache.size=l2')).toThrow(
      /E_SCENARIO: .*machine\.cache\.size: a size is .*4GiB; or l3 or l3-ccx; found "l2"/,
    );
    expect(() => scenario('bios-minimal', 'machine.cache.size=512MiB')).toThrow(
      /machine\.cache\.size.*at most 268435456 bytes/,
    );
  });
});

const withoutHeader = (trace: Trace) => ({ ...trace, header: null });

describe('a boot', () => {
  test('has no cache in its header unless the scenario asks for more than a size', () => {
    const { header } = boot({
      scenario: scenario('bios-minimal', 'machine.cache.size=64KiB'),
    }).run();
    expect(header.cache).toBeUndefined();
    expect(printTrace(traceOf())).not.toMatch(/^ {2}cache:/m);
  });

  test('with the L3 of a complex is the boot with a small cache; the header has the bytes', () => {
    const trace = boot({ scenario: scenario('bios-minimal', 'machine.cache.size=l3-ccx') }).run();
    expect(trace.header.cache).toEqual({ size: 8 * MIB });
    expect(withoutHeader(trace)).toEqual(withoutHeader(traceOf()));
  });

  test('resumes from a snapshot with the same order of write-backs', () => {
    const seeded = () =>
      boot({
        scenario: scenario('bios-minimal', 'machine.cache={"size":"l3-ccx","writeBack":"seeded"}'),
      });
    const whole = seeded().run();
    expect(whole.header.cache).toEqual({ size: 8 * MIB, writeBack: 'seeded' });
    const first = seeded();
    first.runTo('copy_bootdata');
    const second = seeded();
    second.restore(first.snapshot());
    expect(printTrace(second.run())).toBe(printTrace(whole));
  });

  test.each([
    ['ascending', 'ciphertext'],
    ['c0-last', 'plaintext'],
  ])('that ends with two CPUs holding both halves of a page, %s: %s', (order, state) => {
    const name = 'ap-syscfg-clear';
    const subject = boot({ scenario: scenario(name, `machine.cache.writeBack=${order}`) });
    while (subject.step());
    const { base = 0, size = 0 } =
      subject.regions().find(({ name }) => name === 'trampoline') ?? {};
    const { cache } = subject.machine;
    const write = (cpu: number, key: KeyId, value: number): void => {
      for (let done = 0; done < size; done += 4096) {
        const page = new Uint8Array(4096).fill(value);
        cache.write(cpu, pa(base + done), key, MEMTYPE.WB, page, 0, page.length, 0);
      }
    };
    // CPU 1 is written back after CPU 0: an order for each of them alone would give ciphertext in both cases.
    write(0, KEY_PLAIN, 1);
    write(1, KEY_HOST, 2);
    const found = subject.finish().final.regions.find(({ name }) => name === 'trampoline');
    expect(found?.state).toBe(state);
  });
});
