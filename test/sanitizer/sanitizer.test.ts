/** Each rule of the sanitizer by the smallest machine that breaks it, and by a twin that does not. */
import { describe, expect, test } from '@jest/globals';
import { KEY_HOST, pa, va } from '../../src/machine/address.js';
import { pciRequester } from '../../src/machine/requester.js';
import { ZEN3 } from '../../src/machine/cpu/cpu-models.js';
import { ANNOTATIONS } from '../../src/sanitizer/annotations.js';
import { RULES } from '../../src/sanitizer/rules.js';
import { Bench, C_BIT } from './bench.js';

/** A device without registers; addresses in `mmio` only answer. */
const device = (name: string, requester: number, base?: number) => ({
  name,
  requester,
  ...(base !== undefined && { mmio: [{ base, size: 4096 }] }),
  snapshot: () => null,
  restore: () => undefined,
});
const NIC = 0x300;

describe('wrong-key-read', () => {
  test.each([
    ['a load with C=1 of what firmware placed', [3], ['wrong-key-read reader loader']],
    ['not with C=0', [], []],
  ])('%s', (_what, encrypted, expected) => {
    const b = new Bench(encrypted);
    b.as('loader', () => {
      b.place(3);
    });
    b.as('reader', () => {
      b.load(3);
    });
    expect(b.rules).toEqual(expected);
  });

  test('names ranges, C-bits and steps, and folds what is equal', () => {
    const b = new Bench([3]);
    b.as('loader', () => {
      b.place(3);
    });
    b.step = 'second';
    b.as('reader', () => {
      for (const offset of [0, 8, 64]) b.load(3, offset);
    });
    expect(b.reports).toEqual([
      {
        rule: 'wrong-key-read',
        n: 3,
        step: 'second',
        at: '3000+10',
        va: '3000+10',
        C: 1,
        in: 'reader',
        what: 'a read with C=1 of bytes written with C=0',
        earlier: { what: 'written', in: 'loader', step: 'first', C: 0 },
        outcome: 'garbage consumed',
      },
    ]);
  });

  test('only the bytes written under the other key: 8 of a page are exact', () => {
    const b = new Bench([3, 4]);
    b.setEntry(4, 3);
    b.store(3, 16);
    const wrong = () => b.reports.filter(({ rule }) => rule === 'wrong-key-read');
    b.load(4, 8);
    expect(wrong()).toEqual([]);
    b.load(4, 16);
    expect(wrong()).toMatchObject([{ at: '3010+8', in: 'start' }]);
  });

  test('a walk through a table that was written under the other key', () => {
    const b = new Bench();
    b.as('tables', () => {
      b.place(0x203, KEY_HOST);
    });
    b.as('user', () => {
      b.load(9);
    });
    expect(b.reports[0]).toMatchObject({
      ...{ rule: 'wrong-key-read', in: 'user', what: 'a walk with C=0 of bytes written with C=1' },
      earlier: { in: 'tables' },
    });
  });

  test('not after the bytes were written anew, nor for bytes that were never written', () => {
    const b = new Bench([3]);
    b.place(3);
    b.store(3);
    b.load(3);
    b.load(7);
    expect(b.rules).toEqual([]);
  });
});

describe('mixed-key-line', () => {
  /** A page is written with C=1, and the same page with C=0 through another address. */
  const twice = (between: (b: Bench) => void, more = {}): Bench => {
    const b = new Bench([3], more);
    b.setEntry(4, 3);
    b.as('first', () => {
      b.store(3);
    });
    between(b);
    b.as('second', () => {
      b.store(4);
    });
    return b;
  };

  test('a line that is dirty under one key is written under the other', () => {
    const b = twice(() => undefined);
    expect(b.rules).toEqual(['mixed-key-line second first']);
    expect(b.reports[0]?.outcome).toBe('nothing yet');
  });

  test.each<[string, (b: Bench) => unknown, string[]]>([
    [
      'is reported where other bytes of it are read',
      (b) => b.load(4, 8),
      ['mixed-key-line reader first'],
    ],
    ['is a wrong read where the same bytes are', (b) => b.load(4), ['wrong-key-read reader first']],
    ['is not once it was written back', (b) => (b.cpu.wbinvd(), b.load(4, 8)), []],
    ['is not where another line is read', (b) => b.load(4, 64), []],
    ['is not where it is read under its own key', (b) => b.load(3, 8), []],
  ])('a line that is dirty under the other key %s', (_what, act, rules) => {
    const b = new Bench([3]);
    b.setEntry(4, 3);
    b.as('first', () => {
      b.store(3);
    });
    b.as('reader', () => {
      act(b);
    });
    expect(b.rules).toEqual(rules);
  });

  test('CLFLUSH under the other key is reported, and leaves the line', () => {
    const b = new Bench([3]);
    b.setEntry(4, 3);
    b.as('first', () => {
      b.store(3);
    });
    b.as('flusher', () => {
      b.cpu.clflush(va(0x4000));
    });
    expect(b.rules).toEqual(['mixed-key-line flusher first']);
    b.cpu.clflush(va(0x3000));
    b.as('flusher', () => {
      b.cpu.clflush(va(0x4000));
    });
    expect(b.reports[0]?.n).toBeUndefined();
  });

  test.each([
    ['after WBINVD', (b: Bench) => b.cpu.wbinvd()],
    ['after CLFLUSH under its own key', (b: Bench) => b.cpu.clflush(va(0x3000))],
  ])('not %s', (_what, between) => {
    expect(twice(between).rules).toEqual([]);
  });

  test('not on a part whose cache is coherent across keys', () => {
    expect(twice(() => undefined, { model: ZEN3 }).rules).toEqual([]);
  });

  test('a write-back destroys newer bytes, and their reader is reported', () => {
    const b = new Bench([3]);
    b.setEntry(4, 3);
    b.as('first', () => {
      b.store(3);
    });
    b.as('second', () => {
      b.place(3);
    });
    b.cpu.wbinvd();
    expect(b.reports.at(-1)).toMatchObject({ outcome: 'data lost', earlier: { in: 'second' } });
    b.as('reader', () => {
      b.load(4);
    });
    expect(b.reports.at(-1)).toMatchObject({
      ...{ rule: 'wrong-key-read', in: 'reader' },
      earlier: { what: 'written, and destroyed since', in: 'second' },
    });
  });

  /** 64 bytes that are written with C=1; `more` follows when they are in DRAM. Page 4 is the same page with C=0. */
  const encrypted = (more: (b: Bench) => void): Bench => {
    const b = new Bench([3]);
    b.setEntry(4, 3);
    b.as('first', () => {
      b.cpu.fill(va(0x3000), 0xbb, 128);
    });
    b.cpu.wbinvd();
    b.as('second', () => {
      more(b);
    });
    return b;
  };
  const bytesRead = (b: Bench, offset: number): bigint => {
    let value = 0n;
    b.as('reader', () => {
      const loaded = b.cpu.loadU64(va(0x3000 + offset));
      if (typeof loaded === 'bigint') value = loaded;
    });
    return value;
  };
  const KEPT = 0xbbbb_bbbb_bbbb_bbbbn;

  test('a write-back leaves the blocks of 16 bytes that the line did not change', () => {
    const b = encrypted((bench) => {
      bench.store(4);
    });
    b.cpu.wbinvd();
    expect(b.reports).toMatchObject([{ rule: 'mixed-key-line', at: '3008+8' }]);
    expect(bytesRead(b, 48)).toBe(KEPT);
    expect(b.reports).toHaveLength(1);
    expect(bytesRead(b, 8)).not.toBe(KEPT);
    expect(b.rules.at(-1)).toBe('wrong-key-read reader first');
  });

  test.each<[string, (b: Bench) => unknown]>([
    ['a device writes', (b) => b.machine.dmaWrite(pa(0x3000), new Uint8Array(8))],
    [
      'an uncached store writes',
      (b) => {
        b.setEntry(4, 3, 0n, 0x7fn);
        b.cpu.invlpg(va(0x4000));
        b.store(4);
      },
    ],
  ])('the rest of a block is noise where %s a part of it under the other key', (_what, write) => {
    const b = encrypted((bench) => {
      write(bench);
    });
    expect(bytesRead(b, 16)).toBe(KEPT);
    expect(b.reports).toEqual([]);
    expect(bytesRead(b, 8)).not.toBe(KEPT);
    expect(b.rules).toEqual(['wrong-key-read reader first']);
  });

  test('destroyed bytes are reported line by line: one that is cached under its key is what was written', () => {
    const b = new Bench([3]);
    b.setEntry(4, 3);
    b.as('first', () => {
      b.cpu.fill(va(0x4000), 1, 128);
    });
    b.as('second', () => {
      b.cpu.fill(va(0x3000), 0xbb, 128);
    });
    for (const line of [0x3000, 0x3040]) b.cpu.clflush(va(line));
    b.load(3);
    for (const line of [0x4000, 0x4040]) b.cpu.clflush(va(line));
    b.as('reader', () => {
      b.cpu.read(va(0x3000), new Uint8Array(128), 0, 128);
    });
    expect(b.reports.at(-1)).toMatchObject({ rule: 'wrong-key-read', at: '3040+40', in: 'reader' });
  });

  test('the parts of one access are one event', () => {
    const b = new Bench([3]);
    b.as('loader', () => {
      b.machine.dmaWrite(pa(0x3000), new Uint8Array(2));
      b.machine.dmaWrite(pa(0x3004), new Uint8Array(4));
    });
    b.load(3);
    expect(b.reports).toMatchObject([{ rule: 'wrong-key-read', at: '3000+2', va: '3000+2' }]);
    expect(b.reports[0]?.n).toBeUndefined();
  });
});

describe('stale-translation', () => {
  /** Page 5 is used, its entry changed, and it is used again. */
  const changed = (flags: bigint, target: number, between: (b: Bench) => void): string[] => {
    const b = new Bench();
    b.load(5);
    b.as('changer', () => {
      b.setEntry(5, target, flags);
    });
    b.as('user', () => {
      between(b);
      b.load(5);
    });
    return b.rules;
  };
  const nothing = (): void => undefined;

  test.each([
    ['another page', 0n, 6],
    ['the C-bit', C_BIT, 5],
  ])('an entry gets %s, and the translation is used', (_what, flags, target) => {
    expect(changed(flags, target, nothing)).toEqual(['stale-translation user changer']);
  });

  /** An entry's flags: present, writable, user, accessed, dirty. */
  const READ_ONLY = 0x65n;
  const UNCACHED = 0x7fn;
  const NO_EXECUTE = 0x67n | (1n << 63n);
  test.each<[string, bigint, (b: Bench) => unknown, string[]]>([
    ['a store where the entry is read-only', READ_ONLY, (b) => b.store(5), ['read-only']],
    ['no load there', READ_ONLY, (b) => b.load(5), []],
    ['a load where the entry has another type', UNCACHED, (b) => b.load(5), ['UC']],
    ['no load where only fetches fault', NO_EXECUTE, (b) => b.load(5), []],
    ['a store after a load', READ_ONLY, (b) => (b.load(5), b.store(5)), ['read-only']],
  ])('%s is told', (_what, flags, act, says) => {
    const b = new Bench();
    b.store(5);
    b.setEntry(5, 5, 0n, flags);
    b.as('user', () => {
      act(b);
    });
    const stale = b.reports.filter(({ rule }) => rule === 'stale-translation');
    expect(stale.map(({ what }) => /the tables say (.*)$/.exec(what)?.[1])).toEqual(says);
  });

  test.each([
    ['INVLPG', (b: Bench) => b.cpu.invlpg(va(0x5000))],
    ['a write of CR3', (b: Bench) => b.cpu.writeCr3(b.cpu.cr3)],
  ])('not after %s', (_what, between) => {
    expect(changed(0n, 6, between)).toEqual([]);
  });

  test('also after the entry was cleared, set again, and cleared again', () => {
    const b = new Bench();
    b.load(5);
    b.setEntry(5, 6);
    b.setEntry(5, 5);
    b.load(5);
    expect(b.rules).toEqual([]);
    b.setEntry(5, 6);
    b.load(5);
    expect(b.rules).toEqual(['stale-translation start start']);
  });

  test('has led to nothing yet if only the C-bit differs, else to the wrong bytes', () => {
    const outcome = (flags: bigint, target: number): string | undefined => {
      const b = new Bench();
      b.load(5);
      b.setEntry(5, target, flags);
      b.load(5);
      return b.reports[0]?.outcome;
    };
    expect([outcome(C_BIT, 5), outcome(0n, 6)]).toEqual(['nothing yet', 'garbage consumed']);
  });

  test('not if the entry says the same', () => {
    expect(changed(0n, 5, nothing)).toEqual([]);
  });

  test('INVLPG of another page does not help', () => {
    const flush = (b: Bench): void => {
      b.cpu.invlpg(va(0x6000));
    };
    expect(changed(0n, 6, flush)).toEqual(['stale-translation user changer']);
  });
});

describe('key-disagreement', () => {
  test.each([
    ['a device reads without the C-bit what the CPU wrote with it', [3], true],
    ['not if both leave it out', [], false],
  ])('%s', (_what, encrypted, expected) => {
    const b = new Bench(encrypted);
    b.machine.attach(device('nic', NIC));
    b.as('driver', () => {
      b.store(3);
      b.cpu.wbinvd();
    });
    b.machine.dmaRead(pa(0x3000), 8, undefined, pciRequester(NIC));
    expect(b.rules).toEqual(expected ? ['key-disagreement nic driver'] : []);
  });

  test('the CPU reads with the C-bit what a device wrote', () => {
    const b = new Bench([3]);
    b.machine.attach(device('nic', NIC));
    b.machine.dmaWrite(pa(0x3000), new Uint8Array(8), undefined, pciRequester(NIC));
    b.as('driver', () => {
      b.load(3);
    });
    expect(b.rules).toEqual(['key-disagreement driver nic']);
  });

  test('two CPUs', () => {
    const b = new Bench([3], { cpus: 2 });
    b.setEntry(4, 3);
    b.store(3);
    b.as('other', () => b.machine.cpus[1]?.loadU64(va(0x4000)));
    expect(b.reports[0]).toMatchObject({ rule: 'key-disagreement', in: 'other', cpu: 1 });
  });
});

describe('memory with an owner', () => {
  const PLACED = { name: 'table', base: 0x3000, size: 0x100, use: 'reader' } as const;
  const placed = (act: (b: Bench) => void, encrypted: readonly number[] = []): string[] => {
    const b = new Bench(encrypted);
    b.owned = [PLACED];
    b.as('loader', () => {
      b.place(3);
    });
    b.as('user', () => {
      act(b);
    });
    return b.rules;
  };

  test('foreign-owner-write: bytes are overwritten before they are read', () => {
    expect(placed((b) => b.store(3, 8))).toEqual(['foreign-owner-write user loader']);
  });

  test.each([
    ['bytes that were read', (b: Bench) => (b.load(3, 8), b.store(3, 8))],
    ['bytes behind the range', (b: Bench) => b.store(3, 0x100)],
    ['a second write of the same bytes', (b: Bench) => (b.load(3), b.store(3), b.store(3))],
  ])('not for %s', (_what, act) => {
    expect(placed(act)).toEqual([]);
  });

  test('a read of other bytes does not help', () => {
    expect(placed((b) => (b.load(3, 16), b.store(3, 8)))).toHaveLength(1);
  });

  /** The range is encrypted in place, as a read through page 4 (C=0) and a write of the same bytes to page 3 (C=1). */
  const converted = (b: Bench): void => {
    b.setEntry(4, 3);
    const bytes = new Uint8Array(4096);
    b.cpu.read(va(0x4000), bytes);
    b.cpu.wbinvd();
    b.cpu.write(va(0x3000), bytes);
  };

  test('a write that keeps the first line only is no conversion', () => {
    const over = (b: Bench): void => {
      b.setEntry(4, 3);
      const bytes = new Uint8Array(4096);
      b.cpu.read(va(0x4000), bytes);
      b.cpu.wbinvd();
      b.cpu.write(va(0x3000), bytes.fill(0, 64));
      b.store(3, 8);
    };
    expect(placed(over, [3])).toEqual([]);
  });

  test('bytes that were encrypted in place wait for their reader again', () => {
    const over = (b: Bench): void => {
      converted(b);
      b.store(3, 8);
      b.store(3, 8);
    };
    expect(placed(over, [3])).toEqual(['foreign-owner-write user user']);
  });

  test.each<[string, (b: Bench) => void]>([
    [
      'bytes that were encrypted in place and read',
      (b) => (converted(b), b.load(3, 8), b.store(3, 8)),
    ],
    [
      'bytes that are needed no more',
      (b) => (b.sanitizer.released([{ at: 0x3000, size: 4096 }]), b.store(3, 8)),
    ],
    ['freed bytes', (b) => (b.sanitizer.freed([{ at: 0x3000, size: 4096 }]), b.store(3, 8))],
  ])('foreign-owner-write is not for %s', (_what, act) => {
    expect(placed(act, [3]).filter((rule) => rule.startsWith('foreign'))).toEqual([]);
  });

  test.each([
    ['key-disagreement: memory of firmware is written with C=1', [0], ['key-disagreement user']],
    ['not with C=0', [], []],
  ])('%s', (_what, encrypted, expected) => {
    const b = new Bench(encrypted);
    b.owned = [{ name: 'vectors', base: 0x400, size: 0x100, use: 'firmware' }];
    b.as('user', () => {
      b.store(0, 0x460);
    });
    expect(b.rules).toEqual(expected);
  });
});

describe('cbit-on-mmio', () => {
  test.each([
    ['a device’s register through an entry with the C-bit', C_BIT, ['cbit-on-mmio user']],
    ['not without it', 0n, []],
  ])('%s', (_what, flags, expected) => {
    const b = new Bench();
    b.machine.attach(device('nic', NIC, 0x800_0000));
    b.setEntry(5, 0x8000, flags);
    b.as('user', () => {
      b.load(5);
    });
    expect(b.rules).toEqual(expected);
  });

  test('a later read without it is right: the ignored write changed no bytes', () => {
    const b = new Bench();
    b.machine.attach(device('vga', NIC, 0x800_0000));
    b.setEntry(5, 0x8000, C_BIT);
    b.setEntry(6, 0x8000);
    b.as('early', () => {
      b.store(5);
    });
    b.as('late', () => {
      b.load(6);
    });
    expect(b.rules).toEqual(['cbit-on-mmio early']);
  });

  test('not where nothing answers', () => {
    const b = new Bench();
    b.setEntry(5, 0x8000, C_BIT);
    b.load(5);
    expect(b.rules).toEqual([]);
  });
});

describe('cbit-not-in-force', () => {
  test.each([
    ['an entry with the C-bit while SYSCFG[23] is clear', true, ['cbit-not-in-force user']],
    ['not while it is set', false, []],
  ])('%s', (_what, off, expected) => {
    const b = new Bench([3]);
    if (off) b.encryptionOff();
    b.as('user', () => {
      b.load(3);
    });
    expect(b.rules).toEqual(expected);
  });
});

describe('the sanitizer', () => {
  const run = (b: Bench): void => {
    b.as('second', () => {
      b.store(4);
      b.load(3);
      b.load(5);
    });
  };
  const before = (b: Bench): void => {
    b.setEntry(4, 3);
    b.as('first', () => {
      b.store(3);
      b.load(5);
      b.setEntry(5, 6);
    });
  };

  test('continues from a snapshot with the same reports', () => {
    const whole = new Bench([3]);
    before(whole);
    const [machine, state] = [whole.machine.snapshot(), whole.sanitizer.snapshot()];
    run(whole);
    const other = new Bench([3]);
    other.machine.restore(machine);
    other.sanitizer.restore(state);
    run(other);
    expect(whole.rules.length).toBeGreaterThan(1);
    expect(other.reports).toEqual(whole.reports);
    // The snapshot has not changed meanwhile.
    const third = new Bench([3]);
    third.machine.restore(machine);
    third.sanitizer.restore(state);
    expect(third.reports).toEqual([]);
    run(third);
    expect(third.reports).toEqual(whole.reports);
  });

  test('reports nothing once it has stopped', () => {
    const b = new Bench([3]);
    b.sanitizer.stop();
    before(b);
    run(b);
    expect(b.reports).toEqual([]);
    expect(b.machine.probes.accessed.active).toBe(false);
  });

  test('has a test that fires each rule, here or in rules/', () => {
    const here = ['wrong-key-read', 'mixed-key-line', 'stale-translation', 'foreign-owner-write'];
    const more = ['key-disagreement', 'cbit-on-mmio', 'cbit-not-in-force'];
    const inRules = [
      ...['mask-read-early', 'wrong-memory-type', 'freed-with-attribute', 'noise-to-device'],
      ...['encrypted-twice', 'uninitialised-read', 'table-not-found'],
    ];
    expect(RULES.map(({ id }) => id).sort()).toEqual([...here, ...more, ...inRules].sort());
  });

  test('names the rules that are not checked without annotations', () => {
    const b = new Bench();
    b.annotations = ANNOTATIONS;
    expect(b.sanitizer.notChecked()).toEqual([]);
    b.annotations = [];
    expect(b.sanitizer.notChecked()).toEqual([
      'foreign-owner-write',
      'mask-read-early',
      'wrong-memory-type',
      'freed-with-attribute',
      'noise-to-device',
      'uninitialised-read',
      'table-not-found',
    ]);
  });
});
