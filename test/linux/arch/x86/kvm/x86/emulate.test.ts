/** Instructions that KVM emulates, on guest memory as the VMM maps it. */
import { describe, expect, test } from '@jest/globals';
import type { Boot } from '../../../../../../src/sequencer/boot.js';
import type { VcpuState } from '../../../../../../src/linux/include/linux/kvm_host.js';
import { throughKvm } from '../kvm-boots.js';

const CODE = 0x1000;

function vcpuOf(b: Boot): VcpuState {
  const vcpu = b.kernel.state.kvm?.vcpu;
  if (!vcpu) throw new Error('no vcpu');
  return vcpu;
}

/** A vcpu with `code` at its RIP. */
function before(code: readonly number[], regs: Readonly<Record<string, bigint>> = {}) {
  const b = throughKvm({ stage: 17 });
  b.kernel.fn.kvm_write_guest(CODE, Uint8Array.from(code));
  const vcpu = vcpuOf(b);
  Object.assign(vcpu.regs, { rip: BigInt(CODE) }, regs);
  return { b, vcpu, fn: b.kernel.fn };
}

describe('x86_emulate_instruction()', () => {
  test('of MOV r16, imm16 leaves the upper bits of the register', () => {
    const { vcpu, fn } = before([0xbe, 0x34, 0x12], { rsi: 0xffff_0000n });
    expect(fn.x86_emulate_instruction(false)).toBe('EMULATE_DONE');
    expect([vcpu.regs.rsi, vcpu.regs.rip]).toEqual([0xffff_1234n, 0x1003n]);
  });

  test('of REP MOVSB copies all bytes in one call', () => {
    const { vcpu, fn } = before([0xf3, 0xa4], { rsi: 0x2000n, rdi: 0x3800n, rcx: 13n });
    fn.x86_emulate_instruction(false);
    expect(vcpu.regs).toMatchObject({ rsi: 0x200dn, rdi: 0x380dn, rcx: 0n, rip: 0x1002n });
    expect(new TextDecoder().decode(fn.kvm_read_guest(0x3800, 13))).toBe('guest memory ');
  });

  test('of HLT does not halt: RIP is at the next instruction', () => {
    const { vcpu, fn } = before([0xf4]);
    expect(fn.x86_emulate_instruction(false)).toBe('EMULATE_DONE');
    expect(vcpu.regs.rip).toBe(0x1001n);
  });

  test('of JMP rel8 jumps backwards', () => {
    const { vcpu, fn } = before([0xeb, 0xfe]);
    fn.x86_emulate_instruction(false);
    expect(vcpu.regs.rip).toBe(0x1000n);
  });

  test('of VMMCALL rewrites the instruction and leaves RIP at it, also after a #UD', () => {
    const { vcpu, fn } = before([0x0f, 0x01, 0xd9]);
    expect(fn.x86_emulate_instruction(true)).toBe('EMULATE_DONE');
    expect(vcpu.regs.rip).toBe(0x1000n);
    expect(fn.kvm_read_guest(CODE, 3)).toEqual(Uint8Array.of(0x0f, 0x01, 0xd9));
  });

  test('after a #UD fails for HLT, which the CPU executes itself, and for UD2', () => {
    for (const code of [[0xf4], [0x0f, 0x0b]]) {
      expect(before(code).fn.x86_emulate_instruction(true)).toBe('EMULATE_FAIL');
    }
  });

  test('of an opcode that it cannot decode leaves RIP for a retry: guest frame 0 has a slot', () => {
    const { vcpu, fn } = before([0xf3, 0xa5]);
    expect(fn.x86_emulate_instruction(false)).toBe('EMULATE_DONE');
    expect(vcpu.regs.rip).toBe(0x1000n);
  });
});

describe('guest memory', () => {
  test('ends at the end of its slot', () => {
    const { fn } = before([]);
    expect(fn.gfn_to_hva(3)).toBe(0x7e00_0000_3000);
    expect(fn.gfn_to_hva(4)).toBe(0);
    expect(fn.gfn_to_pfn(4)).toBe(0);
    expect(fn.kvm_read_guest(0x4000, 1)).toBeUndefined();
    expect(fn.kvm_write_guest(0x4000, Uint8Array.of(1))).toBe(false);
  });

  test('has the VMM’s page frame numbers, without the C-bit', () => {
    const b = throughKvm({ stage: 18 });
    const pfn = b.kernel.fn.gfn_to_pfn(1);
    expect(b.kernel.fn.kvm_is_reserved_pfn(pfn)).toBe(false);
    expect(b.kernel.fn.kvm_is_reserved_pfn(pfn + 2 ** 35)).toBe(true);
  });
});
