import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { exhaustiveTest } from '../cases.js';
import { sme } from './io.js';

/** `inspect` of the small machine: its boot is the fastest. */
const inspect = (...argv: string[]) => sme(['inspect', 'bios-minimal', ...argv]);

interface Vtop {
  vtop: {
    levels: { level: string; c: number; readAs: string }[];
    pa?: string;
    c?: number;
    fault?: string;
  };
}

const json = async (...argv: string[]): Promise<unknown> =>
  JSON.parse((await inspect(...argv, '--format', 'json')).out) as unknown;

describe('sme-boot inspect', () => {
  test('--vtop prints each level with the C-bit that it is read with', async () => {
    const before = (await json('--at', 'startup_64:phys_base', '--vtop', '0x1000000')) as Vtop;
    expect(before.vtop).toMatchObject({ pa: '0x1000000', c: 1 });
    expect(before.vtop.levels.map(({ readAs }) => readAs)).toEqual(['C=0', 'C=0', 'C=0']);
    const after = (await json('--at', 'startup_64:switch', '--vtop', '_text')) as Vtop;
    expect(after.vtop.levels.map(({ level, readAs, c }) => [level, readAs, c])).toEqual([
      ['PGD', 'C=1', 1],
      ['PUD', 'C=1', 1],
      ['PMD', 'C=1', 1],
    ]);
    const nothing = (await json('--vtop', '0x10')) as Vtop;
    expect(nothing.vtop.fault).toBe('#PF(0)');
    const { out } = await sme(['inspect', '--vtop', 'early_level4_pgt[511]']);
    expect(out).toMatch(/physical 0x1d00ff8, C=1, WB/);
  });

  exhaustiveTest('--ptdump marks encrypted ranges', async () => {
    const { out } = await inspect('--ptdump', '--at', 'init_mem_mapping');
    expect(out).toMatch(/^0xffff880040000000-0xffff88007fffffff +0x40000000 +1G +ENC +WB/m);
    const plain = await inspect('--ptdump', '--stage', '17');
    expect(plain.out.match(/ENC/g)).toHaveLength(1);
  });

  test('--tlb shows the translation that clear_mapping leaves in the TLB, and what the tables have', async () => {
    const argv = ['--at', 'copy_bootdata', '--tlb'];
    const { out } = await sme(['inspect', 'bios-minimal', ...argv], { COLUMNS: '76' });
    expect(out).toMatch(
      /^0xffff880000099000 +4K of 2M +0x99000 +C=0 +WB +RW\|D\|NX\n +stale: tables say not-present, PMD entry /m,
    );
    expect(out).toMatch(/^0xffffffff81000000 +2M +0x1000000 +C=1 +WB +RW\|D\|G +same$/m);
    expect(out).toMatch(/^6 translations, 2 stale$/m);
    const { tlb } = (await json(...argv)) as { tlb: { va: string; stale?: string }[] };
    expect(tlb.filter(({ stale }) => stale !== undefined)).toHaveLength(2);
    const flushed = await inspect(...argv, '--with', '09/flush-tlb');
    expect(flushed.out).toMatch(/, 0 stale$/m);
  });

  exhaustiveTest('--cpu shows the registers, TLB and page tables of another CPU', async () => {
    const second = async (...argv: string[]) => {
      const set = ['machine.cpus=2', 'firmware.syscfgMemEncryptOnAps=true'];
      const settings = set.flatMap((each) => ['--set', each]);
      const ran = await inspect(...settings, '--cpu', '1', ...argv);
      return JSON.parse(ran.out) as Vtop & {
        cpu: number;
        ptdump: unknown[];
        tlb: { va: string }[];
        regs: { cpu: number; activity: string; mode: string; cr3: { c: number } };
      };
    };
    const views = ['--regs', '--tlb', '--ptdump', '--vtop', '0x1000', '--format', 'json'];
    const before = await second('--at', 'smp_prepare_cpus', ...views);
    expect(before).toMatchObject({ cpu: 1, ptdump: [], tlb: [] });
    expect(before.regs).toMatchObject({
      cpu: 1,
      activity: 'waits for a STARTUP IPI',
      mode: 'real',
    });
    expect(before.vtop).toMatchObject({ levels: [], pa: '0x1000', c: 0, paging: false });
    const after = await second('--at', 'smp_init', ...views);
    expect(after.regs).toMatchObject({ activity: 'running', mode: '64-bit', cr3: { c: 1 } });
    expect(after.tlb.map(({ va }) => va)).toContain('0xffffffff81000000');
    expect(after.ptdump.length).toBeGreaterThan(0);
    expect(after.vtop.levels.length).toBeGreaterThan(0);
  });

  describe('with two labels', () => {
    interface Compared {
      at: string[];
      reached: boolean;
      outcome?: { kind: string };
      difference: {
        view: string;
        of?: string;
        changes: { what: string; before?: string | number; after?: string | number }[];
      }[];
    }
    const changesIn = ({ difference }: Compared, view: string) =>
      new Map(
        difference
          .find((each) => each.view === view)
          ?.changes.map(({ what, before, after }) => [what, [before, after]]),
      );
    const SWITCH = ['--at', 'startup_64:phys_base', '--at', 'startup_64:switch'];

    test('prints what differs between them in each view, in 76 columns', async () => {
      const views = ['--regs', '--tlb', '--ptdump', '--vtop', '_text', '--engine', '--exposed'];
      const argv = [...SWITCH, ...views, '--mem', '_text:32', '--cache', 'early_level4_pgt'];
      const found = (await json(...argv)) as Compared;
      expect(found).toMatchObject({ at: [SWITCH[1], SWITCH[3]], reached: true });
      expect(changesIn(found, 'regs').get('cr3')).toEqual([
        '0x2000000  table 0x2000000  c 0',
        '0x800001d00000  table 0x1d00000  c 1',
      ]);
      expect(changesIn(found, 'regs').get('rdi')).toEqual([undefined, '0x90000']);
      expect(changesIn(found, 'regs').has('cr4')).toBe(false);
      expect(changesIn(found, 'tlb').get('0xffffffff81000000 2M')?.[0]).toBeUndefined();
      expect(changesIn(found, 'vtop').get('virtual')).toEqual(['0x1000000', '0xffffffff81000000']);
      expect(changesIn(found, 'ptdump').size).toBeGreaterThan(2);
      const counts = changesIn(found, 'engine').get('blocks encrypted') ?? [];
      expect(Number(counts[1])).toBeGreaterThan(Number(counts[0]));
      // The same physical page through another mapping.
      expect(found.difference.find(({ of }) => of === '_text:32, dram')?.changes).toEqual([]);
      const { out } = await sme(['inspect', 'bios-minimal', ...argv], { COLUMNS: '76' });
      expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(76);
      expect(out).toMatch(
        /^startup_64:phys_base → startup_64:switch\n\nvtop _text: 4 differences\n/,
      );
      expect(out).toMatch(/^ {2}- 0x1200000 2M {2}0x1200000 C=1 WB RW\|D same$/m);
      expect(out).toMatch(/^ {2}blocks encrypted {2}\d+ → \d+ \(\+\d+\)$/m);
      expect(out).toMatch(/^mem _text:32, dram: no difference$/m);
    });

    exhaustiveTest('shows at the second one what a boot without the first one has', async () => {
      const at = (label: string) => json('--at', label, '--regs', '--mem', 'boot_params:512');
      const [first, second] = [
        (await at('x86_64_start_kernel')) as Vtop & Record<'regs' | 'mem', Record<string, string>>,
        (await at('copy_bootdata')) as Record<'regs' | 'mem', Record<string, string>>,
      ];
      const argv = ['--at', 'x86_64_start_kernel', '--at', 'copy_bootdata'];
      const both = (await json(...argv, '--regs', '--mem', 'boot_params:512')) as Compared;
      const regs = changesIn(both, 'regs');
      for (const name of ['rip', 'rsp', 'cr2']) {
        const expected =
          first.regs[name] === second.regs[name]
            ? undefined
            : [first.regs[name], second.regs[name]];
        expect([name, regs.get(name)]).toEqual([name, expected]);
      }
      const rows = changesIn(both, 'mem');
      for (let at = 0; at < 512; at += 16) {
        const row = (bytes = ''): string => bytes.slice(at * 2, at * 2 + 32);
        const differs = row(first.mem.bytes) !== row(second.mem.bytes);
        expect([at, rows.has(`+0x${at.toString(16)}`)]).toEqual([at, differs]);
      }
    });

    exhaustiveTest('a place that the first one lacks is new at the second', async () => {
      const page = ['--mem', 'user file page:16', '--format', 'json'];
      const { out } = await inspect('--at', 'smp_init', '--at', 'run_init', ...page);
      const changes = changesIn(JSON.parse(out) as Compared, 'mem');
      expect(changes.get('place')?.[0]).toMatch(/^E_PLACE: .* at a later label/);
      expect(changes.get('+0x0')?.[0]).toBeUndefined();
      const neither = await inspect('--at', 'loader', '--at', 'startup_64', ...page);
      expect([neither.status, neither.out]).toEqual([2, '']);
      expect(neither.err).toMatch(/E_PLACE/);
    });

    exhaustiveTest(
      'the end of the boot is the second one with --anyway; nothing is compared before the first',
      async () => {
        // An application processor whose SYSCFG firmware has not set: the boot ends in smp_init.
        const ends = (...argv: string[]) => inspect('--set', 'machine.cpus=2', ...argv);
        const labels = ['--at', 'setup_arch', '--at', 'drivers'];
        const refused = await ends(...labels);
        expect([refused.status, refused.out]).toEqual([1, '']);
        expect(refused.err).toMatch(/did not reach drivers, it ended in smp_init: .*--anyway/);
        const shown = await ends(...labels, '--anyway');
        expect([shown.status, shown.out]).toEqual([
          0,
          expect.stringMatching(/^setup_arch → the end\n\nregs: \d+ differences\n/),
        ]);
        const none = await ends('--at', 'drivers', '--at', 'run_init', '--anyway');
        expect([none.status, none.out]).toEqual([1, '']);
        expect(none.err).toMatch(/did not reach drivers, .*\(there is nothing to compare\)/);
        const data = await ends(...labels, '--format', 'json');
        expect(JSON.parse(data.out)).toMatchObject({
          at: ['setup_arch', 'drivers'],
          reached: false,
          outcome: { kind: 'triple-fault' },
        });
      },
    );
  });

  test('--mem reads DRAM or with either C-bit, and saves raw bytes', async () => {
    const c1 = await inspect('--at', 'reserve_initrd', '--mem', 'initrd:64', '--as', 'c1');
    expect(c1.out).toContain('|0707010000000100|');
    const bus = await inspect('--at', 'reserve_initrd', '--mem', 'initrd:64');
    expect(bus.out).not.toContain('070701');
    const text = await inspect('--mem', 'boot_command_line+8:8', '--as', 'c1');
    expect(text.out).toContain('|tty0 roo|');
    const sameText = await inspect('--mem', 'boot_command_line+0x8:8', '--as', 'c1');
    expect(sameText.out).toBe(text.out);
    const zeros = await inspect('--stage', '0', '--mem', 'kernel data+0x100000:64');
    expect(zeros.out.split('\n')[1]).toBe('*');
  });

  exhaustiveTest('several --mem are printed with their headings, in JSON as a list', async () => {
    const argv = ['--at', 'reserve_initrd', '--as', 'c1', '--mem', 'initrd:16'];
    const one = await inspect(...argv);
    const both = await inspect(...argv, '--mem', 'boot_command_line+8:8');
    expect(both.out).toMatch(
      /^initrd:16, c1\n[0-9a-f]{12} .*\n\nboot_command_line\+8:8, c1\n[0-9a-f]{12} .*\|tty0 roo\|\n$/,
    );
    expect(both.out).toContain(one.out);
    const { mem } = (await json(...argv, '--mem', 'initrd+16:4')) as { mem: unknown };
    expect(mem).toMatchObject([
      { place: 'initrd', as: 'c1', bytes: Buffer.from('0707010000000100').toString('hex') },
      { place: 'initrd+16', pa: '0x7ff9e010', as: 'c1' },
    ]);
    expect((await json(...argv)) as object).toMatchObject({ mem: { place: 'initrd' } });
  });

  test('--cache lists the cached lines of a place, with their writer, their key and what memory has', async () => {
    const argv = ['--at', 'copy_bootdata', '--cache', 'boot params', '--cache', 'boot_params'];
    const { out } = await sme(['inspect', 'bios-minimal', ...argv], { COLUMNS: '76' });
    expect(out).toMatch(
      /^boot params\n0x90000\.\.0x90fff +64 lines +C=0 +clean +CPU 0 +written by/,
    );
    expect(out).toMatch(
      /^boot_params\n0x1e01000\.\.0x1e[0-9a-f]+ +\d+ lines +C=1 +dirty +CPU 0 +written by sme_memcpy;$/m,
    );
    expect(out).toMatch(/^64 of 64 lines cached, 64 dirty$/m);
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(76);
    const at = ['--at', 'reserve_initrd', '--cache', 'initrd+0x60000'];
    const { cache } = (await json(...at)) as { cache: { lines: number; cached: object[] } };
    expect(cache).toMatchObject({
      place: 'initrd+0x60000',
      lines: 1,
      cached: [
        { key: 0, dirty: false, same: true, aliases: [{ key: 1, dirty: true }] },
        { key: 1, dirty: true, writer: 'sme_early_mem_enc', aliases: [{ key: 0, dirty: false }] },
      ],
    });
    const without = await inspect('--set', 'machine.cache.size=0', '--cache', '0');
    expect(without.out).toBe('the machine has no cache\n');
  });

  test('--engine lists a key that a CPU uses although nothing was encrypted yet', async () => {
    const on = await inspect(
      '--set',
      'firmware.syscfgMemEncrypt=true',
      '--at',
      'loader',
      '--engine',
    );
    expect(on.out).toMatch(/^key 1 {2}[0-9a-f]{32}$/m);
    expect(on.out).toMatch(/^key 1: in use by CPU 0$/m);
    expect(on.out).toMatch(/^ {2}0 encrypted$/m);
    const off = await inspect('--at', 'loader', '--engine');
    expect(off.out).toMatch(/^no key is in use$/m);
    const { engine } = (await json('--at', 'startup_64:phys_base', '--engine')) as {
      engine: { keys: { id: number; cpus: number[]; dramLines: number }[] };
    };
    expect(engine.keys).toMatchObject([{ id: 1, cpus: [0] }]);
    // The 16 MiB of the kernel.
    expect(engine.keys[0]?.dramLines).toBeGreaterThan((12 * 2 ** 20) / 64);
  });

  exhaustiveTest('--engine has all data to recompute the DRAM bytes of --mem', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'sme-boot-inspect-'));
    try {
      const { out } = await inspect('--engine', '--format', 'json');
      writeFileSync(join(dir, 'engine.json'), out);
      for (const as of ['c1', 'dram']) {
        await inspect('--mem', 'kernel text:4096', '--as', as, '--save', join(dir, as));
      }
      const ran = spawnSync(process.execPath, [
        'test/real/recompute.mjs',
        join(dir, 'engine.json'),
        '0x1000000',
        join(dir, 'c1'),
      ]);
      expect(ran.stdout).toEqual(readFileSync(join(dir, 'dram')));
      expect((await inspect('--engine')).out).toMatch(/mode XEX.*\n.*\nkey 1 {2}[0-9a-f]{32}\nt_4/);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  exhaustiveTest(
    '--engine counts the blocks that passed it, --exposed lists plaintext by its writer',
    async () => {
      const { out } = await inspect('--at', 'startup_64:phys_base', '--engine', '--exposed');
      expect(out).toMatch(
        /^ {2}\d+ decrypted, \d+ decrypted and overwritten unread\n {2}\d+ encrypted$/m,
      );
      expect(out).toMatch(/^sme_encrypt_kernel +\d+ bytes +0x2000000\.\./m);
      const before = await inspect('--at', 'loader', '--engine', '--exposed', '--format', 'json');
      const { engine, exposed } = JSON.parse(before.out) as {
        engine: { blocks: { encrypted: number } };
        exposed: { writer: string; ranges: { pa: string; bytes: number }[] }[];
      };
      expect(engine.blocks.encrypted).toBe(0);
      expect(exposed.map(({ writer }) => writer)).toEqual(['firmware, loader or hardware']);
    },
  );

  exhaustiveTest('--vtop of a region walks the direct map', async () => {
    const { out } = await inspect('--at', 'run_init', '--vtop', 'initrd+64');
    expect(out).toMatch(/0x7ff9e040\b.*C=1/);
    const before = await inspect('--at', 'startup_64:fixup', '--vtop', 'initrd+64');
    expect(before.out).toMatch(/#PF.*not-present/);
  });

  test('prints the registers by default', async () => {
    const { out } = await inspect('--at', 'startup_64');
    expect(out).toMatch(/^SYSCFG +0x940000 {2}MemEncryptionModEn true$/m);
    expect(out).toMatch(/^PAT .*WB,WT,UC-,UC/m);
  });

  test('--regs prints registers that were set, and names the others', async () => {
    const { out } = await inspect('--at', 'startup_64');
    expect(out).toMatch(/^rsi +0x90000 {2}last modelled write/m);
    expect(out).toMatch(/^rsp +0x[0-9a-f]+$/m);
    expect(out).not.toMatch(/^r(ax|8|15) /m);
    expect(out).toMatch(/^not modelled +RAX, RCX, .*R15, RFLAGS CF /m);
    const { regs } = (await json('--at', 'startup_64', '--regs')) as {
      regs: Record<string, unknown> & { notModelled: string[] };
    };
    expect(regs.rsi).toBe('0x90000');
    expect(regs).not.toHaveProperty('rax');
    expect(regs.notModelled).toContain('rax');
    expect(regs.notModelled).not.toContain('rsi');
  });

  test.each([
    [['--at', 'nowhere'], /E_LABEL/],
    [['--vtop', 'early_level4'], /E_PLACE.*early_level4_pgt/],
    [['--vtop', '0x8000000000000000'], /E_PLACE.*canonical/],
    [['--mem', 'initrd'], /E_MEM/],
    [['--mem', 'initrd:0'], /E_MEM/],
    [['--mem', '0xffffffff00000000:16'], /E_NOT_MAPPED/],
    [['--mem', 'initrd:16', '--save', '/no/such/dir/x'], /E_WRITE/],
  ])('refuses %j', async (argv, message) => {
    const { status, out, err } = await inspect(...argv);
    expect([status, out]).toEqual([2, '']);
    expect(err).toMatch(message);
  });
});
