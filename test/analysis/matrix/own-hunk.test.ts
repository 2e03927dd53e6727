/** Hunks that are not in the series: their rows must come from the machine's records alone. */
import { describe, expect, test } from '@jest/globals';
import { va, type Va } from '../../../src/machine/address.js';
import { PAGE_OFFSET } from '../../../src/kernel/constants.js';
import type { Hunk } from '../../../src/kernel/hunk.js';
import type { Kernel } from '../../../src/kernel/kernel.js';
import { Matrix } from '../../../src/analysis/matrix/matrix.js';
import type { MatrixRow } from '../../../src/analysis/matrix/report.js';
import { exhaustiveTest, firstOf } from '../../cases.js';
import { boot, intact, scenario } from '../../helpers.js';
import { traceOf } from '../../shared-traces.js';

/** User pages get the mask when they are mapped, not from protection_map. */
const maskAtUse: Hunk = {
  id: '19/mask-at-use',
  file: 'mm/mmap.c',
  what: 'vm_get_page_prot() adds the mask',
  replaces: {
    vm_get_page_prot: (previous) => (k, flags) => previous(k, flags) | k.fn.sme_me_mask(),
  },
};
/** protection_map has no mask. */
const mapAsItWas: Hunk = {
  id: '19/map-as-it-was',
  file: 'arch/x86/mm/mem_encrypt.c',
  what: 'sme_early_init() does nothing',
  replaces: { sme_early_init: () => () => undefined },
};
/** User pages lose the mask that protection_map has. */
const unmask: Hunk = {
  id: '19/unmask',
  file: 'mm/mmap.c',
  what: 'vm_get_page_prot() takes the mask away',
  replaces: {
    vm_get_page_prot: (previous) => (k, flags) => previous(k, flags) & ~k.fn.sme_me_mask(),
  },
};

/** An unused page of the direct map, mapped by a separate entry. */
const PAGE = va(PAGE_OFFSET + 80 * 2 ** 20);
const C47 = 1n << 47n;

/** Sets the C-bit of an entry on the walk to the page: the last-level entry, or the pointer to its table. */
function setC(k: Kernel, level: 'PTE' | 'PMD', c: 0 | 1): void {
  k.fn.set_memory_4k(PAGE, 1);
  const step = k.cpu.traceWalk(PAGE).find((each) => each.level === level);
  if (step === undefined) throw new Error(`no ${level}`);
  const entry = k.__va(step.table + step.index * 8);
  k.writeU64(entry, c === 1 ? step.entry | C47 : step.entry & ~C47);
  k.fn.flush_tlb_all();
}

/** The functions that write and read the note. */
const WRITER = 'init_espfix_bsp';
const READER = 'set_real_mode_permissions';

/** Changes of the mapping before a function accesses the note. */
function reach(id: string, where: typeof WRITER | typeof READER, act: (k: Kernel) => void): Hunk {
  const replacement = (previous: (k: Kernel) => void) => (k: Kernel) => {
    previous(k);
    act(k);
  };
  return {
    id,
    file: 'kernel/note.c',
    what: 'a place of its own',
    replaces: { [where]: replacement },
  };
}
const TEXT = new TextEncoder().encode('what is written here is read there');
const OTHER = new TextEncoder().encode('what was written is something else');

/** One function writes a note, another one reads it, both with C=1 unless a hunk changes that. */
function note(written: boolean): Hunk[] {
  return [
    reach('19/note-write', WRITER, (k) => {
      k.writeBytes(PAGE, TEXT);
      k.trace.recorder.produced('note', TEXT);
      if (written) k.cpu.wbinvd();
      setC(k, 'PTE', 1);
    }),
    reach('19/note-read', READER, (k) => {
      k.trace.recorder.consumed('note', READER, k.readBytes(PAGE, TEXT.length));
    }),
  ];
}
const plainWrite = reach('19/plain-write', WRITER, (k) => {
  setC(k, 'PTE', 0);
});
const plainRead = reach('19/plain-read', READER, (k) => {
  setC(k, 'PTE', 0);
});

function rowOf(extra: readonly Hunk[], id: string, on = scenario()): MatrixRow {
  const matrix = new Matrix({ ...boot({ scenario: on }).options, extra });
  const leftOut = matrix.hunks.find(({ hunk }) => hunk.id === id);
  if (leftOut === undefined) throw new Error(`no hunk ${id}`);
  expect(leftOut.how).toBe('out');
  return matrix.row(leftOut);
}

describe('a hunk outside the series', () => {
  test('is in the kernel, in the trace and among the hunks that can be left out', () => {
    const extra = [unmask];
    const trace = boot({ extra }).run();
    expect(trace.header).toMatchObject({ with: [], ownHunks: [{ hunks: ['19/unmask'] }] });
    expect(intact(trace, 'user file page')).toBe(false);
    const less = boot({ extra, without: ['19/unmask'] }).run();
    expect(intact(less, 'user file page')).toBe(true);
    const bare = traceOf();
    expect(less.steps).toEqual(bare.steps);
    expect(less.consumed).toEqual(bare.consumed);
    expect(boot({ extra }).expected).toBeUndefined();
    expect(() => boot({ without: ['19/unmask'] })).toThrow(/^E_HUNK/);
  });

  exhaustiveTest(
    'that alone adds the mask to user pages has a row with a page read with C=0',
    () => {
      const row = rowOf([mapAsItWas, maskAtUse], '19/mask-at-use');
      expect(row).toMatchObject({
        same: false,
        firstUse: 'run_init',
        lost: ['user file page'],
        gained: [],
        wrong: {
          name: 'user file page',
          reader: '/init',
          readC: 0,
          writer: 'unpack_to_rootfs',
          writeC: 1,
        },
        cause: '/init reads user file page with C=0; unpack_to_rootfs wrote it with C=1',
      });
      expect(rowOf([mapAsItWas, maskAtUse], '19/map-as-it-was')).toMatchObject({
        same: true,
        lost: [],
      });
    },
  );

  test('that removes the mask has a row with data that the series does not read intact', () => {
    const row = rowOf([unmask], '19/unmask');
    expect(row).toMatchObject({ same: false, lost: [], gained: ['user file page'] });
    expect(row.wrong).toBeUndefined();
    expect(row.cause).toMatch(/^run_init: map 0x[0-9a-fx.]+ in \S+: C 0 → 1/);
  });

  describe.each([
    ['in the cache', false],
    ['in memory', true],
  ])('with a note that is %s', (_, written) => {
    const extra = [plainWrite, plainRead, ...note(written)];

    test('is read intact if both sides use C=0', () => {
      expect(intact(boot({ extra }).run(), 'note')).toBe(true);
      expect(intact(boot({ extra: note(written) }).run(), 'note')).toBe(true);
    });

    test.each(
      firstOf(2, [
        ['19/plain-read', 1, 0],
        ['19/plain-write', 0, 1],
      ]),
    )('without %s is read with C=%i and was written with C=%i', (id, readC, writeC) => {
      const row = rowOf(extra, id);
      expect(row.outcome.kind).toBe('booted');
      expect(row.lost).toEqual(['note']);
      const { wrong, cause } = row;
      const pa = '0x5000000';
      expect(wrong).toEqual({ name: 'note', reader: READER, readC, writer: WRITER, writeC, pa });
      expect(cause).toBe(
        `${READER} reads note with C=${String(readC)}; ${WRITER} wrote it with C=${String(writeC)}`,
      );
    });
  });

  test('that only changes the written bytes has a row with that difference', () => {
    let text = OTHER;
    const chosen = reach('19/text', WRITER, () => {
      text = TEXT;
    });
    const write = reach('19/write', WRITER, (k) => {
      k.writeBytes(PAGE, text);
      k.trace.recorder.produced('note', TEXT);
      text = OTHER;
    });
    const [, read] = note(false);
    const row = rowOf([chosen, write, ...(read === undefined ? [] : [read])], '19/text');
    expect(row).toMatchObject({ same: false, lost: ['note'] });
    expect(row.difference).toBeUndefined();
    expect(row.cause).toBe(`${READER} reads note with C=1; ${WRITER} wrote it with the same C-bit`);
  });

  test('that only changes the address of a read, which leaves the machine unchanged, has one too', () => {
    let offset = 64;
    const chosen = reach('19/offset', READER, () => {
      offset = 0;
    });
    const write = reach('19/write', WRITER, (k) => {
      k.writeBytes(PAGE, TEXT);
      k.writeBytes(va(PAGE + 64), OTHER);
      k.trace.recorder.produced('note', TEXT);
    });
    const read = reach('19/read', READER, (k) => {
      const found = k.readBytes(va(PAGE + offset), TEXT.length);
      k.trace.recorder.consumed('note', READER, found);
      offset = 64;
    });
    const uncached = scenario('bios-minimal', 'machine.cache={"size":0,"ways":8}');
    const row = rowOf([chosen, write, read], '19/offset', uncached);
    expect(row).toMatchObject({ same: false, lost: ['note'] });
    expect(row.cause).toBe(`${READER} reads note with C=1; ${WRITER} wrote it with the same C-bit`);
  });

  test('that corrects a pointer to a table has a row with the walk through that table', () => {
    const broken = reach('19/broken', WRITER, (k) => {
      setC(k, 'PMD', 0);
    });
    const fixed = reach('19/fixed', WRITER, (k) => {
      k.writeU64(pointer(k), k.readU64(pointer(k)) | C47);
      k.fn.flush_tlb_all();
    });
    const row = rowOf([broken, fixed, ...note(false)], '19/fixed');
    expect(row.outcome.kind).not.toBe('booted');
    expect(row.firstUse).toBe('init_espfix_bsp');
    expect(row.cause).toMatch(
      /^#PF\(\d+\) at 0xffff880005000000: the CPU reads PTE entry 0x[0-9a-f]+ with C=0; \w+ wrote it with C=1$/,
    );
  });
});

/** The address of the pointer to the page's last-level table. */
function pointer(k: Kernel): Va {
  const step = k.cpu.traceWalk(PAGE).find(({ level }) => level === 'PMD');
  return k.__va(step === undefined ? 0 : step.table + step.index * 8);
}
