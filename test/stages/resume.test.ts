/** Snapshots of a boot; the invariants resume at every label. */
import { describe, expect, test } from '@jest/globals';
import { PAGE_SIZE, pa } from '../../src/machine/address.js';
import { deserialize, serialize } from '../../src/machine/codec.js';
import { nobleCipher } from '../../src/machine/memory/noble-cipher.js';
import type { Boot, BootSnapshot } from '../../src/sequencer/boot.js';
import { printTrace } from '../../src/trace/yaml-out.js';
import { boot, scenario } from '../helpers.js';
import { difference } from './walk.js';

const TIME = 120_000;

describe('a comparison of snapshots', () => {
  const options = { scenario: scenario('bios-minimal') };
  const at = (label: string): BootSnapshot => {
    const subject = boot(options);
    while (subject.ahead[0] !== label && subject.step());
    return subject.snapshot();
  };

  test('finds a byte of memory, a register and a variable that differ', () => {
    const snapshot = at('early-idt');
    const bytes = serialize(snapshot);
    const fresh = (): BootSnapshot => deserialize(bytes) as BootSnapshot;
    expect(difference(snapshot, fresh())).toBeUndefined();
    const byte = fresh();
    const pages = [...byte.machine.dram.pages.values()].flatMap((block) => [...block.values()]);
    const page = pages.find((p) => p.bytes[7] !== 0);
    page?.bytes.fill(0, 7, 8);
    expect(difference(snapshot, byte)).toMatch(/^\.machine\.dram\.pages\.\d+\.\d+\.bytes$/);
    const { machine, ...rest } = fresh();
    const cpus = machine.cpus.map((cpu) => ({ ...cpu, cr2: cpu.cr2 + 1n }));
    const register = { ...rest, machine: { ...machine, cpus } };
    expect(difference(snapshot, register)).toBe('.machine.cpus.0.cr2');
    expect(difference(snapshot, { ...fresh(), next: 0 })).toBe('.next');
  });

  test('finds a step that ran', () => {
    expect(difference(at('early-idt'), at('copy_bootdata'))).toBeDefined();
  });
});

describe('epyc-efi', () => {
  const options = { scenario: scenario('epyc-efi') };
  const whole = boot(options);
  const trace = printTrace(whole.run());

  /** Number of the first page whose bytes in DRAM differ from those after the whole boot; undefined if none. */
  function differingPage(subject: Boot): number | undefined {
    const pages = (b: Boot): number[] => b.machine.dram.touched();
    const peek = (b: Boot, page: number): Uint8Array =>
      b.machine.dram.peek(pa(page * PAGE_SIZE), PAGE_SIZE);
    const all = new Set([...pages(whole), ...pages(subject)]);
    return [...all].find((page) => Buffer.compare(peek(whole, page), peek(subject, page)) !== 0);
  }

  test.each(['startup_64', 'smp_init', 'run_init'])(
    'resumed before %s by a new boot writes the same trace to the end',
    (label) => {
      const first = boot(options);
      while (first.ahead[0] !== label && first.step());
      const second = boot(options);
      second.restore(deserialize(serialize(first.snapshot())) as BootSnapshot);
      expect(second.ahead[0]).toBe(label);
      expect(printTrace(second.run())).toBe(trace);
      expect(differingPage(second)).toBeUndefined();
    },
    TIME,
  );

  test.each([
    ['with an engine that encrypts at once', { lazy: false }],
    ["with noble's cipher instead of node's", { cipher: nobleCipher }],
  ])(
    '%s has the same trace and the same bytes in DRAM',
    (_title, other) => {
      const subject = boot({ ...options, ...other });
      expect(printTrace(subject.run())).toBe(trace);
      expect(differingPage(subject)).toBeUndefined();
    },
    TIME,
  );
});
