/** Boots in which one address after the other gets the encryption mask that the posted series leaves out. */
import { describe, expect, test } from '@jest/globals';
import type { Boot } from '../../../../../src/sequencer/boot.js';
import { rsvd_bits } from '../../../../../src/linux/arch/x86/kvm/mmu.js';
import { C, consumed, events, pointersWithMask, throughKvm, WITH_MASK } from './kvm-boots.js';
import { exhaustiveTest, firstOf } from '../../../../cases.js';

const { vmcb, root, baseAddress } = WITH_MASK;
const pages = (b: Boot): number[] => [...new Set(b.kernel.state.kvm?.dirtyPfns)];

test.each([
  ['bits 51:43', 43, 51, 0x000f_f800_0000_0000n],
  ['no bit where the first is above the last', 52, 51, 0n],
  ['bit 51 alone', 51, 51, 1n << 51n],
] as const)('rsvd_bits() sets %s', (_which, from, to, mask) => {
  expect(rsvd_bits(from, to)).toBe(mask);
});

/** Reports of the sanitizer on walks of nested tables. */
const guestWalks = (b: Boot) =>
  b.reports().filter(({ in: by, what }) => by === 'svm_vcpu_run' && what.startsWith('a walk'));

describe('with the mask in the VMCB’s address', () => {
  exhaustiveTest(
    'a root without the mask is read as plaintext: the guest faults on its first fetch forever',
    () => {
      const b = throughKvm({ stage: 18, sanitize: true, changes: () => [vmcb] });
      expect(guestWalks(b).length).toBeGreaterThan(0);
      expect(events(b, 'vmrun')).toEqual(['vmrun npf x64']);
      expect(Object.keys(consumed(b))).toEqual(['guest answer, vmm']);
    },
  );

  test('and in the root, pointers of link_shadow_page() without it are read as plaintext: the same fault', () => {
    const b = throughKvm({ stage: 18, sanitize: true, changes: () => [vmcb, root] });
    expect(guestWalks(b).length).toBeGreaterThan(0);
    expect(events(b, 'vmrun')).toEqual(['vmrun npf x64']);
  });

  test('and in the root and the pointers, KVM takes the mask as part of a table’s address: the host panics', () => {
    const b = throughKvm({ stage: 18, changes: (x) => [vmcb, root, pointersWithMask(x)] });
    expect(b.outcome).toMatchObject({ kind: 'panic', where: 'page_fault' });
  });
});

describe('with the mask in all addresses but the leaf’s, and not in PT64_BASE_ADDR_MASK', () => {
  const others = (b: Boot) => [vmcb, root, pointersWithMask(b), baseAddress];

  test('the guest runs on encrypted memory with patch 17', () => {
    const b = throughKvm({ stage: 18, sanitize: true, changes: others });
    expect(guestWalks(b)).toEqual([]);
    expect(events(b, 'vmrun')).toEqual(['vmrun npf x3', 'vmrun hlt x1']);
    expect(consumed(b)).toEqual({
      'guest code, guest': true,
      'guest memory, guest': true,
      'guest answer, vmm': true,
    });
  });

  test('without patch 17 the guest fetches ciphertext: an invalid opcode, then a shutdown', () => {
    const b = throughKvm({ stage: 16, activate: true, changes: others });
    expect(consumed(b)['guest code, guest']).toBe(false);
    expect(Object.keys(consumed(b))).not.toContain('guest memory, guest');
    expect(b.kernel.state.kvm?.vcpu?.exitReason).toBe('KVM_EXIT_SHUTDOWN');
  });
});

describe('spte_to_pfn()', () => {
  test('without encryption returns the guest’s frames: they are marked dirty when the entries are cleared', () => {
    expect(pages(throughKvm({ stage: 17 }))).toHaveLength(3);
  });

  test('takes the leaf’s mask for an address bit with patch 17: no page is marked dirty', () => {
    const b = throughKvm({
      stage: 18,
      changes: (x) => [
        vmcb,
        root,
        pointersWithMask(x),
        // Addresses of tables have the mask removed, so that the guest runs; leaves are decoded as in the series.
        { '__shadow_walk_next:shadow_addr': (spte: bigint) => spte & 0x000f_7fff_ffff_f000n },
      ],
    });
    expect(events(b, 'vmrun').at(-1)).toBe('vmrun hlt x1');
    expect(pages(b)).toEqual([]);
  });
});

describe('handle_mmio_page_fault()', () => {
  const withGuestAlive = (stage: number): Boot =>
    throughKvm({
      stage,
      changes: (b) => [
        ...(stage === 18 ? [vmcb, root, pointersWithMask(b), baseAddress] : []),
        { kvm_mmu_zap_all: () => undefined },
      ],
    });

  test('finds no reserved bit in the entries of a mapped page', () => {
    expect(withGuestAlive(17).kernel.fn.handle_mmio_page_fault(0x1000)).toBe(0);
  });

  test('takes the C-bit for a reserved bit once patch 05 has reduced x86_phys_bits', () => {
    expect(withGuestAlive(18).kernel.fn.handle_mmio_page_fault(0x1000)).toBe(-1);
  });
});

describe('need_remote_flush()', () => {
  const present = 0x7n;
  test.each(
    firstOf(6, [
      ['is false for an entry that was not present', 0n, present, false],
      ['is true for an entry that is no longer present', present, 0n, true],
      ['is true for a changed address', 0x1000n | present, 0x2000n | present, true],
      ['is true for a removed permission', present, 0x5n, true],
      ['is false for an added permission', 0x5n, present, false],
      ['is true for a removed mask, an address bit too', present | C, present, true],
    ] as const),
  )('%s', (_what, before, after, flush) => {
    expect(throughKvm({ stage: 17 }).kernel.fn.need_remote_flush(before, after)).toBe(flush);
  });

  test('PT64_PERM_MASK has the mask from patch 17 on', () => {
    expect(throughKvm({ stage: 16, activate: true }).kernel.fn.PT64_PERM_MASK() & C).toBe(0n);
    expect(throughKvm({ stage: 18 }).kernel.fn.PT64_PERM_MASK() & C).toBe(C);
  });
});
