/** The VMCB and the addresses that the kernel gives to the hardware, and the key of their bytes in DRAM. */
import { describe, expect, test } from '@jest/globals';
import { VMCB_CONTROL, VMCB_SAVE, type VmcbField } from '../../../../../../src/machine/svm/vmcb.js';
import { MSR } from '../../../../../../src/machine/cpu/msr.js';
import { UnmodelledError } from '../../../../../../src/machine/unmodelled.js';
import type { Boot } from '../../../../../../src/sequencer/boot.js';
import {
  C,
  cached,
  CR0_OFFSET,
  CR3_OFFSET,
  dram,
  events,
  KEY_HOST,
  KEY_PLAIN,
  pointersWithMask,
  throughKvm,
  vmcbPage,
  WITH_MASK,
} from '../kvm-boots.js';

const field = (b: Boot, [offset]: VmcbField): bigint => dram(b, vmcbPage(b) + offset, KEY_PLAIN);
const low = (value: bigint): bigint => BigInt.asUintN(32, value);

test('init_vmcb() sets the intercepts of 4.6 and enables nested paging', () => {
  const b = throughKvm({ stage: 0 });
  expect(low(field(b, VMCB_CONTROL.INTERCEPT_CR))).toBe(0x0111_0011n);
  expect(low(field(b, VMCB_CONTROL.INTERCEPT_DR))).toBe(0x00ff_00ffn);
  expect(low(field(b, VMCB_CONTROL.INTERCEPT_EXCEPTION))).toBe(0x0006_0042n);
  expect(field(b, VMCB_CONTROL.INTERCEPT_MISC)).toBe(0x2e7f_bd44_8027n);
  expect(field(b, VMCB_CONTROL.NP_ENABLE)).toBe(1n);
  expect(field(b, VMCB_SAVE.EFER)).toBe(0x1000n);
  expect(field(b, VMCB_SAVE.G_PAT)).toBe(0x0007_0406_0007_0406n);
  expect(low(field(b, VMCB_CONTROL.GUEST_ASID))).toBe(1n);
});

describe('at stage 18', () => {
  test('no address that the VMCB holds has the mask', () => {
    const b = throughKvm({ stage: 18 });
    const at = (f: VmcbField): bigint => dram(b, vmcbPage(b) + f[0], KEY_HOST);
    expect(b.kernel.state.kvm?.vcpu?.vmcbPa).toBe(BigInt(vmcbPage(b)));
    expect(at(VMCB_CONTROL.N_CR3)).toBeLessThan(C);
    expect(at(VMCB_SAVE.CR0)).toBe(0x10n);
  });

  test('the VMCB is encrypted, and garbage at the address that VMRUN is given', () => {
    const b = throughKvm({ stage: 18 });
    expect(dram(b, vmcbPage(b) + CR0_OFFSET, KEY_HOST)).toBe(0x10n);
    expect(dram(b, vmcbPage(b) + CR0_OFFSET, KEY_PLAIN)).not.toBe(0x10n);
  });

  test('the host’s state is saved as plaintext', () => {
    const b = throughKvm({ stage: 18 });
    const area = b.kernel.state.kvm?.saveArea ?? 0;
    expect(cached(b, area + CR3_OFFSET, KEY_PLAIN)).toBe(b.kernel.cpu.cr3);
  });

  test('a dirty line of the save area under the host’s key is later written back over the saved state', () => {
    const b = throughKvm({ stage: 18 });
    const area = b.kernel.state.kvm?.saveArea ?? 0;
    const stale = cached(b, area + CR3_OFFSET, KEY_HOST);
    expect(dram(b, area + CR3_OFFSET, KEY_HOST)).toBe(stale);
    expect(dram(b, area + CR3_OFFSET, KEY_PLAIN)).not.toBe(b.kernel.cpu.cr3);
  });

  test('with the mask in VM_HSAVE_PA the host’s state is saved under the host’s key', () => {
    const b = throughKvm({ stage: 18, changes: () => [WITH_MASK.hsave] });
    const area = b.kernel.state.kvm?.saveArea ?? 0;
    expect(dram(b, area + CR3_OFFSET, KEY_PLAIN)).not.toBe(b.kernel.cpu.cr3);
    expect(dram(b, area + CR3_OFFSET, KEY_HOST)).toBe(b.kernel.cpu.cr3);
  });

  test('MSRs that VMLOAD loads from garbage have the host’s values again after KVM_RUN', () => {
    const b = throughKvm({ stage: 18 });
    for (const [msr, value] of b.kernel.state.kvm?.hostMsrs ?? []) {
      expect(b.kernel.cpu.rdmsr(msr)).toBe(value);
    }
  });
});

describe('a guest with other code', () => {
  const withCode = (...code: number[]): Boot =>
    throughKvm({
      stage: 17,
      changes: (b) => {
        const before = b.kernel.fn['vmm:set_regs'];
        return [
          {
            'vmm:set_regs': () => {
              before();
              b.kernel.fn.kvm_write_guest(0x1000, Uint8Array.from(code));
            },
          },
        ];
      },
    });

  test('gets -KVM_ENOSYS in RAX for a hypercall, and continues after it', () => {
    const b = withCode(0x0f, 0x01, 0xd9, 0xf4);
    expect(events(b, 'vmexit')).toEqual(['vmexit npf x1', 'vmexit vmmcall x1', 'vmexit hlt x1']);
    expect(b.kernel.state.kvm?.vcpu?.regs.rax).toBe(BigInt.asUintN(64, -1000n));
    expect(b.kernel.state.kvm?.vcpu?.regs.rip).toBe(0x1004n);
  });

  test('gets #UD injected for an invalid opcode, and shuts down because it has no IDT', () => {
    const b = withCode(0x0f, 0x0b);
    expect(events(b, 'vmexit')).toEqual([
      'vmexit npf x1',
      'vmexit UD excp x1',
      'vmexit shutdown x1',
    ]);
    expect(b.kernel.state.kvm?.vcpu?.exitReason).toBe('KVM_EXIT_SHUTDOWN');
    expect(field(b, VMCB_CONTROL.EVENTINJ)).toBe(0n);
  });
});

describe('a guest that executes RDMSR', () => {
  /** mov cx, MSR; rdmsr; hlt — KVM's map intercepts every MSR. */
  const rdmsr = (msr: number): number[] => [0xb9, msr & 0xff, msr >> 8, 0x0f, 0x32, 0xf4];
  /** Whether the read of the map was intact, and the exit after the guest's code was mapped, if it is modelled. */
  function run(stage: number, msr: number, changes: (b: Boot) => object[] = () => []) {
    let subject: Boot | undefined;
    const through = (): Boot =>
      throughKvm({
        stage,
        sanitize: true,
        changes: (b) => {
          subject = b;
          const before = b.kernel.fn['vmm:set_regs'];
          const setRegs = (): void => {
            before();
            b.kernel.fn.kvm_write_guest(0x1000, Uint8Array.from(rdmsr(msr)));
          };
          return [...(changes(b) as []), { 'vmm:set_regs': setRegs }];
        },
      });
    let exit: string;
    try {
      exit = events(through(), 'vmexit').at(-1) ?? '';
    } catch (error) {
      if (!(error instanceof UnmodelledError)) throw error;
      exit = error.message;
    }
    const read = subject?.recorder.consumedSoFar.filter(({ by }) => by === 'VMRUN');
    const maps = new Set(['svm_create_vcpu', 'svm_hardware_setup']);
    const reports = (subject?.reports() ?? []).filter(
      ({ in: by, what, earlier }) =>
        by === 'svm_vcpu_run' && what.startsWith('a read with C=0') && maps.has(earlier?.in ?? ''),
    );
    return { exit, read, reports };
  }
  const NAME = 'MSR permission map';
  const { vmcb, root, baseAddress } = WITH_MASK;
  const mapped = (b: Boot): object[] => [vmcb, root, pointersWithMask(b), baseAddress];

  test('exits by the bit of the MSR in the map, which is read intact without encryption', () => {
    const { exit, read, reports } = run(17, MSR.SYSENTER_CS);
    expect(reports).toEqual([]);
    expect(read).toEqual([{ name: NAME, by: 'VMRUN', intact: true }]);
    expect(exit).toMatch(/svm_exit_handlers\[0x7c\]/);
  });

  test('at stage 18, its memory mapped right, reads the MSR: the map, without the mask, is read as other bytes', () => {
    const { read, exit, reports } = run(18, MSR.SYSENTER_CS, mapped);
    expect(reports).toMatchObject([{ rule: 'wrong-key-read', outcome: 'garbage consumed' }]);
    expect(read).toMatchObject([{ name: NAME, by: 'VMRUN', intact: false }]);
    expect(exit).toBe('vmexit hlt x1');
  });

  test("is intercepted at stage 18 with the mask in the map's address as well", () => {
    const { read, exit, reports } = run(18, MSR.SYSENTER_CS, (b) => {
      const before = b.kernel.fn['init_vmcb:permission-map'];
      const map = { 'init_vmcb:permission-map': (page: number) => before(page) | C };
      return [...mapped(b), map];
    });
    expect(reports).toEqual([]);
    expect(read).toEqual([{ name: NAME, by: 'VMRUN', intact: true }]);
    expect(exit).toMatch(/0x7c/);
  });
});

describe('a VMRUN that faults', () => {
  test('ends in the BUG() of kvm_spurious_fault()', () => {
    const b = throughKvm({
      stage: 17,
      changes: () => [{ 'svm_create_vcpu:vmcb_pa': (page: number) => BigInt(page) | 0x800n }],
    });
    expect(b.outcome?.message).toMatch(/kvm_spurious_fault/);
  });
});
