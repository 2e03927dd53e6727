/** Each alternative on a boot that shows its finding: the symptom without it, and no symptom with it. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { isFault } from '../../src/machine/cpu/fault.js';
import { KEY_HOST, KEY_PLAIN, pa, PGDIR_SIZE, va, type KeyId } from '../../src/machine/address.js';
import { MEMTYPE } from '../../src/machine/types.js';
import { VMCB_SAVE } from '../../src/machine/svm/vmcb.js';
import type { Boot } from '../../src/sequencer/boot.js';
import { garbageOf } from '../../src/sequencer/expected.js';
import { link } from '../../src/series/link.js';
import { allHunks, alternatives } from '../../src/series/patches.js';
import { compose } from '../../src/series/compose.js';
import type { Trace, TraceEvent } from '../../src/trace/trace.js';
import { exhaustiveTest } from '../cases.js';
import { boot, intact, patched, scenario } from '../helpers.js';
import { whatHappens, withoutMask } from './without-mask.js';

const SMALL = 'machine.ram=64MiB';
const on = (name: string, settings: readonly string[], ...extra: string[]): Boot =>
  boot({ scenario: scenario(name, ...settings), with: extra });
const eventsOf = (trace: Trace): TraceEvent[] => trace.steps.flatMap(({ events }) => events);
const consoleOf = (trace: Trace, text: string): number =>
  eventsOf(trace).filter((event) => String(event.console ?? '').includes(text)).length;
/** Whether the last read of a name was intact, in an unfinished boot; undefined if it was not read. */
const lastRead = (b: Boot, name: string): boolean | undefined =>
  b.recorder.snapshot().integrity.consumed.findLast((one) => one.name === name)?.intact;

describe('the alternatives', () => {
  const all = alternatives();

  test('have unique ids that begin with a patch number, and a source', () => {
    const ids = [...all, ...allHunks()].map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { id, what, source } of all) {
      expect(id).toMatch(/^(0[1-9]|1[0-8])\/[a-z0-9-]+$/);
      expect([what, source]).not.toContain('');
    }
  });

  test.each(all.map((one) => [one.id, one] as const))(
    '%s links on the series',
    (id, { instead }) => {
      const { hunks, placed } = compose({ stage: 18, activate: false, with: [id] });
      const linked = link(hunks, placed);
      expect(linked.hunks.map((hunk) => hunk.id)).toContain(id);
      if (instead !== undefined) expect(linked.hunks.map((hunk) => hunk.id)).not.toContain(instead);
      // It changes calls, not addresses.
      const whole = link(compose({ stage: 18, activate: false }).hunks);
      expect(linked.functions).toEqual(whole.functions);
      expect(linked.variables).toEqual(whole.variables);
    },
  );

  // Each alone: alternatives.exhaustive.test.ts.
  test('change nothing without the mask: all compatible ones in one boot', () => {
    // It replaces the same hunk as 10/kexec-map.
    const together = all.map(({ id }) => id).filter((id) => id !== '10/kexec-plain');
    expect(whatHappens(withoutMask(...together).run())).toEqual(whatHappens(withoutMask().run()));
  });
});

describe('alternative 18/pat-large', () => {
  /** Memory types of the plain map's translations while the kernel is encrypted, and the encrypted text in DRAM. */
  const encrypted = (...extra: string[]): { types: number[]; text: string } => {
    const b = on('bios-minimal', [SMALL], ...extra);
    const types = new Set<number>();
    b.machine.probes.translated.listen((_cpu, { va: at, type }) => {
      if (at >= PGDIR_SIZE && at < 2 * PGDIR_SIZE) types.add(type);
    });
    b.runTo('startup_64:phys_base');
    b.machine.cpus[0].wbinvd();
    const text = b.machine.dmaRead(pa(b.loaded.kernelAt), 0x1000, KEY_HOST).join();
    return { types: [...types], text };
  };

  test('reads the plain kernel as WP where the posted entries select WT', () => {
    const posted = encrypted();
    const fixed = encrypted('18/pat-large');
    expect(posted.types).toEqual([MEMTYPE.WT]);
    expect(fixed.types).toEqual([MEMTYPE.WP]);
    expect(fixed.text).toBe(posted.text);
  });
});

describe('alternative 09/whole-pages', () => {
  const mapped = (trace: Trace): TraceEvent[] =>
    eventsOf(trace).filter(
      (event) => event.in === 'create_unencrypted_mapping' && event.map !== undefined,
    );

  test('maps both sides of a 2 MiB boundary that the command line crosses', () => {
    const posted = on('cmdline-across-2mib', [SMALL]).run();
    const fixed = on('cmdline-across-2mib', [SMALL], '09/whole-pages').run();
    expect(intact(posted, 'command line')).toBe(false);
    expect(intact(fixed, 'command line')).toBe(true);
    const upTo = (trace: Trace): string[] => mapped(trace).map((event) => String(event.map));
    expect(upTo(posted).some((range) => range.endsWith('..0xffff8800005fffff'))).toBe(false);
    expect(upTo(fixed).some((range) => range.endsWith('..0xffff8800005fffff'))).toBe(true);
  });

  test.each([
    ['one byte before the boundary', 0x3f_ffff, 1, 1],
    ['one byte at the boundary', 0x40_0000, 1, 1],
    ['two bytes across it', 0x3f_ffff, 2, 2],
    ['2 MiB that begin at it', 0x40_0000, 0x20_0000, 1],
    ['2 MiB and one byte that begin at it', 0x40_0000, 0x20_0001, 2],
    ['no byte', 0x40_0000, 0, 0],
  ])('visits the 2 MiB pages of %s', (_what, address, size, pages) => {
    const { kernel } = on('bios-minimal', [SMALL], '09/whole-pages');
    const visited = patched(kernel).fn['create_unencrypted_mapping:steps'](va(address), size);
    expect(visited).toHaveLength(pages);
    expect(visited.every((at) => at % 0x20_0000 === 0)).toBe(true);
  });
});

describe('alternative 09/relocate-plain', () => {
  // mem= below the initrd: it is outside the memory that the kernel maps.
  const moved = (mask: string, ...extra: string[]): Trace =>
    on('bios-minimal', [SMALL, `cmdline=root=/dev/ram0 mem=48M ${mask}`], ...extra).run();

  test('copies ciphertext, which is noise at another address', () => {
    expect(consoleOf(moved('mem_encrypt=on'), 'Move RAMDISK from')).toBe(1);
    expect(moved('mem_encrypt=on').outcome.kind).toBe('booted');
    expect(moved('mem_encrypt=on', '09/relocate-plain').outcome).toMatchObject({
      kind: 'panic',
      message: expect.stringContaining('Unable to mount root fs') as unknown,
    });
  });

  test('moves the same bytes if encryption is off', () => {
    const [posted, plain] = [moved('quiet'), moved('quiet', '09/relocate-plain')];
    expect([posted.outcome.kind, intact(posted, 'initrd')]).toEqual(['booted', true]);
    expect([plain.outcome.kind, intact(plain, 'initrd')]).toEqual(['booted', true]);
  });
});

describe('alternative 10/by-address', () => {
  const names = ['setup_data[0]', 'EFI configuration tables', 'properties table', 'device tree'];
  const seen = (...options: Parameters<typeof on>): (boolean | undefined)[] => {
    const trace = on(...options).run();
    return names.map((name) => intact(trace, name));
  };

  test('reads the properties table intact, which patch 10 forgets', () => {
    expect(seen('epyc-efi', [])).toEqual([true, true, false, true]);
    expect(seen('epyc-efi', [], '10/by-address')).toEqual([true, true, true, true]);
  });

  test('makes the calls that patch 10 changes unnecessary', () => {
    const without = ['10/firmware-efi', '10/esrt', '10/setup'];
    const options = { scenario: scenario('epyc-efi'), without, stub: true };
    const named = (trace: Trace) => names.map((name) => intact(trace, name));
    expect(boot(options).run().outcome.kind).toBe('panic');
    const trace = boot({ ...options, with: ['10/by-address'] }).run();
    expect([trace.outcome.kind, named(trace)]).toEqual(['booted', [true, true, true, true]]);
  });
});

describe('alternative 13/decrypt-late', () => {
  test('lets devices read bounce buffers that the CPU writes with the C-bit', () => {
    const names = ['ahci to device', 'ahci sg to device', 'ahci coherent from device'];
    const seen = (...extra: string[]): (boolean | undefined)[] => {
      const trace = on('no-iommu', [], ...extra).run();
      return names.map((name) => intact(trace, name));
    };
    expect(seen()).toEqual([true, true, true]);
    expect(seen('13/decrypt-late')).toEqual([false, false, false]);
  });
});

describe('alternative 09/flush-tlb', () => {
  const lowMemory = (...extra: string[]): Boot => {
    const b = on('bios-minimal', [SMALL, 'machine.mtrr=false'], ...extra);
    b.runTo('copy_bootdata');
    return b;
  };
  const BDA = 0xffff_8800_0000_0400n;
  const at = va(Number(BigInt.asIntN(64, BDA)));

  test('leaves no TLB entry of a mapping that was cleared', () => {
    const stale = lowMemory().machine.cpus[0].translate(at);
    expect(isFault(stale) ? stale.why : stale.key).toBe(KEY_PLAIN);
    const cleared = lowMemory('09/flush-tlb').machine.cpus[0].translate(at);
    expect(isFault(cleared) ? cleared.why : cleared.key).toBe('not-present');
  });

  test('makes reads of the BIOS data area noise, independent of earlier TLB fills', () => {
    const read = (mtrr: boolean, ...extra: string[]): boolean | undefined => {
      const b = on('bios-minimal', [SMALL, `machine.mtrr=${String(mtrr)}`], ...extra);
      b.runTo('reserve_ebda_region');
      return lastRead(b, 'BIOS data area');
    };
    expect([read(true), read(false)]).toEqual([false, true]);
    expect([read(true, '09/flush-tlb'), read(false, '09/flush-tlb')]).toEqual([false, false]);
  });
});

describe('alternative 10/properties-table', () => {
  const read = (...extra: string[]): { intact: boolean | undefined; c: unknown } => {
    const b = on('epyc-efi', [], ...extra);
    b.runTo('efi_init');
    const table = b.loaded.blobs.find(({ name }) => name === 'properties table');
    const page = `0x${(Math.floor((table?.base ?? 0) / 4096) * 4096).toString(16)}..`;
    const events = b.recorder.snapshot().steps.flatMap((step) => step.events);
    const map = events.findLast(
      (event) => event.map !== undefined && String(event.pa).startsWith(page),
    );
    return { intact: lastRead(b, 'properties table'), c: map?.C };
  };

  test('maps the table without the C-bit, as the firmware wrote it', () => {
    expect(read()).toEqual({ intact: false, c: 1 });
    expect(read('10/properties-table')).toEqual({ intact: true, c: 0 });
  });
});

describe('alternative 14/own-structures', () => {
  let posted: Trace;
  let fixed: Trace;
  beforeAll(() => {
    posted = on('epyc-efi', ['guest=false']).run();
    fixed = on('epyc-efi', ['guest=false'], '14/own-structures').run();
  });
  const nic = (trace: Trace): string[] => garbageOf(trace).filter((name) => name.startsWith('nic'));

  test('lets the IOMMU read its commands, so that no completion wait times out', () => {
    expect(consoleOf(posted, 'Completion-Wait loop timed out')).toBeGreaterThan(0);
    expect(consoleOf(fixed, 'Completion-Wait loop timed out')).toBe(0);
  });

  test('lets the IOMMU walk its tables: its device transfers the right bytes', () => {
    expect(nic(posted)).toHaveLength(6);
    expect(nic(fixed)).toEqual([]);
    expect(intact(fixed, 'nic to device')).toBe(true);
  });
});

describe('alternative 15/before-paging', () => {
  const end = (...extra: string[]): Trace => on('ap-syscfg-clear', [SMALL], ...extra).run();

  test('lets a CPU set SYSCFG before it uses page tables with the C-bit', () => {
    expect(end().outcome).toMatchObject({ kind: 'triple-fault', where: 'pa_startup_32' });
    const fixed = end('15/before-paging');
    expect(fixed.outcome.kind).toBe('booted');
    expect([1, 2, 3].map((id) => intact(fixed, `AP ${String(id)}`))).toEqual([true, true, true]);
    const events = eventsOf(fixed).filter((event) => event.in === 'pa_startup_32');
    const set = events.findIndex((event) => event.wrmsr === 'SYSCFG');
    expect(events[set]?.cpu).toBe('1..3');
    expect(set).toBeLessThan(events.findIndex((event) => event.cr === 'CR3'));
  });
});

describe('alternatives 17/svm and 17/host-save-area', () => {
  const guest = (...extra: string[]): Boot => {
    const b = on('bios-minimal', [SMALL, 'guest=true'], ...extra);
    b.runTo('kvm');
    return b;
  };
  const readers = (b: Boot): string[] =>
    b.recorder
      .snapshot()
      .integrity.consumed.filter(({ name }) => name.startsWith('guest'))
      .map(({ name, by, intact: whole }) => `${name}, ${by}: ${whole ? 'intact' : 'garbage'}`);

  test('run the guest on encrypted memory with VMRUN, instead of emulation by KVM', () => {
    expect(readers(guest()).filter((line) => line.includes(', guest:'))).toEqual([]);
    const fixed = [
      'guest code, guest: intact',
      'guest memory, guest: intact',
      'guest answer, vmm: intact',
    ];
    expect(readers(guest('17/svm')).sort()).toEqual([...fixed].sort());
    expect(readers(guest('17/svm', '17/host-save-area')).sort()).toEqual([...fixed].sort());
  });

  test('do not treat the mask as a reserved bit, and mark the guest’s pages dirty', () => {
    const b = guest('17/svm');
    expect(new Set(b.kernel.state.kvm?.dirtyPfns).size).toBe(3);
    const mask = b.kernel.fn['handle_mmio_page_fault:rsvd_bits'](43);
    expect(mask & patched(b.kernel).fn.sme_me_mask()).toBe(0n);
  });

  test('make VMRUN save the host’s state under the key, and load it under the same', () => {
    const saved = (key: KeyId, ...extra: string[]): bigint => {
      const b = guest(...extra);
      const area = (b.kernel.state.kvm?.saveArea ?? 0) + VMCB_SAVE.CR3[0];
      const bytes = b.machine.dmaRead(pa(area), 8, key);
      return new DataView(bytes.buffer).getBigUint64(0, true);
    };
    const root = guest('17/svm').machine.cpus[0].cr3;
    expect(saved(KEY_PLAIN, '17/svm')).toBe(root);
    expect(saved(KEY_PLAIN, '17/svm', '17/host-save-area')).not.toBe(root);
    expect(saved(KEY_HOST, '17/svm', '17/host-save-area')).toBe(root);
  });
});

describe('kexec', () => {
  const ends = new Map<string, Trace>();
  const end = (...extra: string[]): Trace => {
    const trace = ends.get(extra.join()) ?? on('kexec', [], ...extra).run();
    ends.set(extra.join(), trace);
    return trace;
  };
  const cr3 = (trace: Trace): unknown =>
    eventsOf(trace).find((event) => event.table === 'kexec tables')?.C;

  test('without alternatives cannot read its tables', () => {
    const trace = end();
    expect(cr3(trace)).toBe(0);
    expect(trace.outcome).toMatchObject({ kind: 'triple-fault', where: 'relocate_kernel' });
  });

  test('06/kexec-cr3 enters the other kernel, which is then encrypted already and fails', () => {
    const trace = end('06/kexec-cr3');
    expect(cr3(trace)).toBe(1);
    expect(trace.steps.at(-1)?.label).toBe('kexec:startup_64:phys_base');
    expect(trace.outcome).toMatchObject({ kind: 'triple-fault', where: '.Lencrypt_start' });
  });

  test('10/kexec-plain lets the other kernel boot', () => {
    const trace = end('10/kexec-plain');
    expect(trace.outcome.kind).toBe('booted');
    expect(trace.steps.at(-1)?.label).toBe('kexec:run_init');
    for (const name of ['boot params', 'command line', 'initrd']) {
      expect([name, intact(trace, `kexec ${name}`)]).toEqual([name, true]);
    }
  });

  exhaustiveTest('10/kexec-plain is 10/kexec-map and 10/kexec-wbinvd', () => {
    const both = end('10/kexec-map', '10/kexec-wbinvd');
    const one = end('10/kexec-plain');
    expect([both.outcome, both.consumed, both.final]).toEqual([
      one.outcome,
      one.consumed,
      one.final,
    ]);
    expect(() => end('10/kexec-map', '10/kexec-plain')).toThrow(/E_ALTERNATIVE.*06\/machine_kexec/);
  });
});
