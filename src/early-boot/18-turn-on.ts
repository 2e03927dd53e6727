/**
 * Patch 18, "x86: Add support to turn on Secure Memory Encryption": arch/x86/kernel/mem_encrypt.S.
 * Both functions run at physical addresses on the loader's identity map.
 */
import { MEMTYPE } from '../machine/types.js';
import { PAGE_SIZE, PGDIR_SIZE, PMD_SIZE, PUD_SIZE, va, type Va } from '../machine/address.js';
import { BOOT_PARAMS } from '../firmware/boot-params.js';
import {
  __PAGE_KERNEL_LARGE_EXEC,
  _PAGE_CACHE_MASK,
  _PAGE_GLOBAL,
  _PAGE_PAT,
  _PAGE_PWT,
  MSR_IA32_CR_PAT,
  MSR_K8_SYSCFG,
  X86_CR4_PGE,
} from '../kernel/constants.js';
import { cpuid, rdmsr, set_entry, wbinvd, write_cr3, write_cr4, wrmsr } from '../kernel/cpu-ops.js';
import type { Kernel } from '../kernel/kernel.js';
import type { Hunk, PatchPart } from '../kernel/hunk.js';
import { code, fn, inline, kernelFile, type PatchedKernel } from '../kernel/table.js';
import { turnOnAlternatives } from './18-alternatives.js';

declare module '../kernel/table.js' {
  interface PatchEntries {
    /** The routine that runs from its copy outside the kernel; `length` in bytes. */
    '.Lencrypt_start'(
      k: PatchedKernel,
      pgd: bigint,
      length: number,
      src: Va,
      dst: Va,
      buffer: Va,
    ): void;
    /** Flags of an entry of the map through which the plain kernel is read, derived from those of the other map. */
    'sme_encrypt_kernel:plain-flags'(k: PatchedKernel, flags: bigint): bigint;
  }
}

const MEM_ENCRYPT_S = 'arch/x86/kernel/mem_encrypt.S';
const SME_LEAF = 0x8000_001f;
const MEM_ENCRYPT_OPTION = 'mem_encrypt=on';
/** The vendor string "AuthenticAMD" in the registers of CPUID leaf 0. */
const AMD = { ebx: 0x6874_7541, edx: 0x6974_6e65, ecx: 0x444d_4163 } as const;

/** Layout of the work area: offsets in bytes from the 2 MiB boundary after the kernel. */
export const WORK_AREA = {
  pgd: 0,
  pudEncrypted: 0x1000,
  pudPlain: 0x2000,
  pmdEncrypted: 0x3000,
  pmdPlain: 0x7000,
  tables: 11 * PAGE_SIZE,
} as const;
/** Size of the posted routine in bytes, .Lencrypt_stop - .Lencrypt_start, as GNU as assembles it. */
const ENCRYPT_SIZE = 0x87;
/** Offsets in that code: of the instructions after the writes of CR3 and CR4, and of the two copies. */
const AFTER = { movCr3: 3, clearPge: 16, setPge: 26 } as const;
const AT = { readPlain: 83, writeEncrypted: 98 } as const;
/** Flags of pointers in the work area: present and writable. */
const POINTER = 0x03n;
/** Slot 5 of IA32_PAT is byte 1 of the high half; WP is 5. */
const PA5_SHIFT = 40n;
const PA5_WP = 5n;
/** Bytes of each of the two maps. */
const MAPPED = 4 * PUD_SIZE;

function disable(k: PatchedKernel): void {
  k.writeU64(k.sym('sme_me_mask'), 0n);
  k.writeU8(k.sym('sme_me_loss'), 0);
}

/** EBX of CPUID 0x8000001f if the processor has SME and the command line enables it; undefined otherwise. */
function requestedEbx(k: PatchedKernel): number | undefined {
  const vendor = cpuid(k, 0);
  if (vendor.ebx !== AMD.ebx || vendor.edx !== AMD.edx || vendor.ecx !== AMD.ecx) return undefined;
  if (cpuid(k, 0x8000_0000).eax < SME_LEAF) return undefined;
  const leaf = cpuid(k, SME_LEAF);
  if ((leaf.eax & 1) === 0) return undefined;
  // RSI, the zero page, is saved on the stack around the call.
  const zeroPage = k.cpu.rsi;
  k.push(BigInt(zeroPage));
  const high = k.readU32(va(zeroPage + BOOT_PARAMS.ext_cmd_line_ptr));
  const low = k.readU32(va(zeroPage + BOOT_PARAMS.cmd_line_ptr));
  const found = k.fn.cmdline_find_option_bool(
    va(low + high * 2 ** 32),
    k.sym('mem_encrypt_enable_option'),
  );
  k.popU64();
  // The result is tested against zero: −1, no command line at all, counts as found.
  return found === 0 ? undefined : leaf.ebx;
}

const enable: Hunk = {
  id: '18/sme_enable',
  file: MEM_ENCRYPT_S,
  what: 'CPUID and the command line are checked; the mask, the lost address bits and SYSCFG are set',
  needs: ['sme_enable', 'sme_me_mask', 'MSR_K8_SYSCFG_MEM_ENCRYPT_BIT'],
  parameters: ['mem_encrypt'],
  variables: [
    {
      name: 'mem_encrypt_enable_option',
      size: MEM_ENCRYPT_OPTION.length + 1,
      align: 8,
      section: '.data',
      file: MEM_ENCRYPT_S,
      init: () => Uint8Array.from(`${MEM_ENCRYPT_OPTION}\0`, (c) => c.charCodeAt(0)),
    },
  ],
  replaces: {
    sme_enable: (previous) => (k) => {
      previous(k);
      if (!k.config.CONFIG_AMD_MEM_ENCRYPT) return;
      const ebx = requestedEbx(k);
      const bit = ebx === undefined ? 0 : ebx & 0x3f;
      if (ebx === undefined || bit === 0) {
        disable(k);
        return;
      }
      // BTS with a 32-bit register accesses the doubleword that holds the bit (APM vol. 3, BTS).
      const word = va(k.sym('sme_me_mask') + 4 * (bit >>> 5));
      k.writeU32(word, (k.readU32(word) | (1 << (bit & 31))) >>> 0);
      k.writeU8(k.sym('sme_me_loss'), (ebx >>> 6) & 0x3f);
      const syscfg = rdmsr(k, MSR_K8_SYSCFG);
      const enableBit = 1n << BigInt(k.fn.MSR_K8_SYSCFG_MEM_ENCRYPT_BIT());
      if ((syscfg & enableBit) === 0n) wrmsr(k, MSR_K8_SYSCFG, syscfg | enableBit);
    },
  },
};

/** Builds the two maps of 4 GiB; the kernel's pages carry the mask in the first. */
function buildTables(k: PatchedKernel, work: Va): void {
  const at = (offset: number): Va => va(work + offset);
  k.memset(work, 0, WORK_AREA.tables);
  const maps = [
    { pgd: 0, pud: WORK_AREA.pudEncrypted, pmd: WORK_AREA.pmdEncrypted },
    { pgd: 1, pud: WORK_AREA.pudPlain, pmd: WORK_AREA.pmdPlain },
  ];
  for (const { pgd, pud } of maps) {
    set_entry(k, 'pgd', work, pgd, BigInt(at(pud)) + POINTER, va(pgd * PGDIR_SIZE));
  }
  for (let i = 0; i < 4; i++) {
    for (const { pgd, pud, pmd } of maps) {
      const pointer = BigInt(at(pmd + i * PAGE_SIZE)) + POINTER;
      set_entry(k, 'pud', at(pud), i, pointer, va(pgd * PGDIR_SIZE + i * PUD_SIZE));
    }
  }
  const mask = k.readU64(k.sym('sme_me_mask'));
  let encrypted = __PAGE_KERNEL_LARGE_EXEC & ~_PAGE_GLOBAL;
  let plain = k.fn['sme_encrypt_kernel:plain-flags'](encrypted);
  const text = BigInt(k.sym('_text'));
  const end = BigInt(work);
  for (let i = 0; i < 2048; i++) {
    const table = Math.floor(i / 512) * PAGE_SIZE;
    // Entries are compared as values, flags included.
    const inKernel = encrypted > text && encrypted < end;
    const value = inKernel ? encrypted | mask : encrypted;
    set_entry(k, 'pmd', at(WORK_AREA.pmdEncrypted + table), i % 512, value, va(i * PMD_SIZE));
    set_entry(
      k,
      'pmd',
      at(WORK_AREA.pmdPlain + table),
      i % 512,
      plain,
      va(PGDIR_SIZE + i * PMD_SIZE),
    );
    encrypted += BigInt(PMD_SIZE);
    plain += BigInt(PMD_SIZE);
  }
}

// Bit 12 would be PAT in a large entry; bit 7 is both PS and _PAGE_PAT, so PS stays set and the slot is PWT's:
// _PAGE_PAT | _PAGE_PWT as posted. The page walker decides which type that selects.
const plainFlags = inline(
  (_k: Kernel, flags: bigint) => (flags & ~_PAGE_CACHE_MASK) | _PAGE_PAT | _PAGE_PWT,
);

const encrypt: Hunk = {
  id: '18/sme_encrypt_kernel',
  file: MEM_ENCRYPT_S,
  what: 'the kernel is encrypted in place, 2 MiB at a time, by a routine that runs from a copy after the kernel',
  needs: ['sme_encrypt_kernel', 'sme_me_mask'],
  adds: [
    kernelFile(MEM_ENCRYPT_S, {
      '.Lencrypt_start': code(
        ENCRYPT_SIZE,
        (k: PatchedKernel, pgd: bigint, length: number, src: Va, dst: Va, buffer: Va) => {
          // After a write of CR3 or CR4 the next instruction is fetched through the new mapping.
          k.ip(AFTER.movCr3);
          write_cr3(k, pgd, 'the work area');
          const cr4 = k.cpu.cr4;
          k.ip(AFTER.clearPge);
          write_cr4(k, cr4 & ~X86_CR4_PGE);
          k.ip(AFTER.setPge);
          write_cr4(k, cr4 | X86_CR4_PGE);
          // RAX and RCX, the routine's address and the length, are saved around RDMSR and WRMSR.
          k.push(BigInt(va(buffer - PAGE_SIZE)));
          k.push(BigInt(length));
          const pat = rdmsr(k, MSR_IA32_CR_PAT);
          k.push(pat >> 32n);
          wrmsr(k, MSR_IA32_CR_PAT, (pat & ~(0xffn << PA5_SHIFT)) | (PA5_WP << PA5_SHIFT));
          const high = k.popU64();
          const bytes = Number(k.popU64());
          const area = va(Number(k.popU64()) + PAGE_SIZE);
          wbinvd(k);
          // The source of REP MOVSB, which advances it.
          k.cpu.setGeneral('rsi', src, false);
          for (let done = 0; done < bytes; done += PMD_SIZE) {
            k.ip(AT.readPlain);
            k.memcpy(area, va(src + done), PMD_SIZE);
            k.ip(AT.writeEncrypted);
            k.memcpy(va(dst + done), area, PMD_SIZE);
          }
          k.push(high);
          const low = rdmsr(k, MSR_IA32_CR_PAT) & 0xffff_ffffn;
          wrmsr(k, MSR_IA32_CR_PAT, low | (k.popU64() << 32n));
        },
      ),
      'sme_encrypt_kernel:plain-flags': plainFlags,
    }),
  ],
  stub: [
    kernelFile(MEM_ENCRYPT_S, {
      '.Lencrypt_start': fn(() => undefined),
      'sme_encrypt_kernel:plain-flags': plainFlags,
    }),
  ],
  replaces: {
    sme_encrypt_kernel: (previous) => (k) => {
      previous(k);
      if (!k.config.CONFIG_AMD_MEM_ENCRYPT) return;
      if (k.readU64(k.sym('sme_me_mask')) === 0n) return;
      const text = k.sym('_text');
      const work = va(Math.ceil(k.sym('_end') / PMD_SIZE) * PMD_SIZE);
      buildTables(k, work);
      // A page of stack after the tables, then the copy of the routine; RSP and RSI are saved on the new stack.
      const routine = va(work + WORK_AREA.tables + PAGE_SIZE);
      const oldStack = k.cpu.rsp;
      k.cpu.rsp = routine;
      k.push(BigInt(oldStack));
      k.push(BigInt(k.cpu.rsi));
      k.memcpy(routine, k.sym('.Lencrypt_start'), k.program.sizeOf('.Lencrypt_start'));
      const buffer = va(routine + PAGE_SIZE);
      const plainText = va(PGDIR_SIZE + text);
      // The comment of the routine: the source is mapped write-protected.
      k.notes?.mapped({ at: va(PGDIR_SIZE), size: MAPPED }, MEMTYPE.WP);
      k.cpu.setGeneral('rsi', plainText);
      k.callAt('.Lencrypt_start', routine, BigInt(work), work - text, plainText, text, buffer);
      k.notes?.unmapped(va(PGDIR_SIZE));
      k.cpu.setGeneral('rsi', va(Number(BigInt.asIntN(64, k.popU64()))));
      k.cpu.rsp = va(Number(BigInt.asIntN(64, k.popU64())));
    },
  },
};

export const turnOn: PatchPart = {
  patch: 18,
  turnsOn: true,
  hunks: [enable, encrypt],
  alternatives: turnOnAlternatives,
};
