/** The virtual machine control block: its layout and codes (APM vol. 2, appendix B and C). */

/** Offset and size of a field, in bytes. */
export type VmcbField = readonly [offset: number, bytes: 1 | 2 | 4 | 8];

/** Bytes of a VMCB, aligned to as many (APM 15.5). */
export const VMCB_SIZE = 0x1000;

/** Table B-1: the control area. */
export const VMCB_CONTROL = {
  INTERCEPT_CR: [0x000, 4],
  INTERCEPT_DR: [0x004, 4],
  INTERCEPT_EXCEPTION: [0x008, 4],
  /** Intercept vectors 3 and 4 as one number; see {@link INTERCEPT}. */
  INTERCEPT_MISC: [0x00c, 8],
  IOPM_BASE_PA: [0x040, 8],
  MSRPM_BASE_PA: [0x048, 8],
  TSC_OFFSET: [0x050, 8],
  GUEST_ASID: [0x058, 4],
  TLB_CONTROL: [0x05c, 1],
  V_INTR: [0x060, 8],
  INTERRUPT_SHADOW: [0x068, 8],
  EXITCODE: [0x070, 8],
  EXITINFO1: [0x078, 8],
  EXITINFO2: [0x080, 8],
  EXITINTINFO: [0x088, 8],
  NP_ENABLE: [0x090, 8],
  EVENTINJ: [0x0a8, 8],
  N_CR3: [0x0b0, 8],
  VMCB_CLEAN: [0x0c0, 4],
  NRIP: [0x0c8, 8],
} as const satisfies Record<string, VmcbField>;

/** Table B-2: the state save area. Segments are a selector, attributes, limit and base; see {@link SEGMENT}. */
export const VMCB_SAVE = {
  CPL: [0x4cb, 1],
  EFER: [0x4d0, 8],
  CR4: [0x548, 8],
  CR3: [0x550, 8],
  CR0: [0x558, 8],
  DR7: [0x560, 8],
  DR6: [0x568, 8],
  RFLAGS: [0x570, 8],
  RIP: [0x578, 8],
  RSP: [0x5d8, 8],
  RAX: [0x5f8, 8],
  STAR: [0x600, 8],
  LSTAR: [0x608, 8],
  CSTAR: [0x610, 8],
  SFMASK: [0x618, 8],
  KERNEL_GS_BASE: [0x620, 8],
  SYSENTER_CS: [0x628, 8],
  SYSENTER_ESP: [0x630, 8],
  SYSENTER_EIP: [0x638, 8],
  CR2: [0x640, 8],
  G_PAT: [0x668, 8],
} as const satisfies Record<string, VmcbField>;

/** Where the segments of the save area begin. */
export const VMCB_SEGMENTS = {
  ES: 0x400,
  CS: 0x410,
  SS: 0x420,
  DS: 0x430,
  FS: 0x440,
  GS: 0x450,
  GDTR: 0x460,
  LDTR: 0x470,
  IDTR: 0x480,
  TR: 0x490,
} as const;
export type VmcbSegment = keyof typeof VMCB_SEGMENTS;

/** A segment in the save area, offsets from its first byte. */
export const SEGMENT = {
  selector: [0x0, 2],
  attributes: [0x2, 2],
  limit: [0x4, 4],
  base: [0x8, 8],
} as const satisfies Record<string, VmcbField>;

/** Bits of a segment's attributes: the descriptor's bits 55:52 and 47:40, concatenated (APM 15.5.1). */
export const SEGMENT_ATTRIBUTES = {
  CODE: 2 ** 3,
  S: 2 ** 4,
  P: 2 ** 7,
  L: 2 ** 9,
  DB: 2 ** 10,
  G: 2 ** 11,
} as const;

/** One field of one segment. */
export function segmentField(name: VmcbSegment, part: keyof typeof SEGMENT): VmcbField {
  const [offset, bytes] = SEGMENT[part];
  return [VMCB_SEGMENTS[name] + offset, bytes];
}

/** Bits of intercept vectors 3 (31:0) and 4 (63:32) that the machine acts on. */
export const INTERCEPT = {
  HLT: 1n << 24n,
  IOIO_PROT: 1n << 27n,
  MSR_PROT: 1n << 28n,
  SHUTDOWN: 1n << 31n,
  VMRUN: 1n << 32n,
  VMMCALL: 1n << 33n,
} as const;

/** NP_ENABLE's bits; the others enable features that the machine does not have. */
export const NP_ENABLE = { NP: 1n << 0n, SEV: 1n << 1n } as const;

/** Intercept codes (APM appendix C). Exceptions are VMEXIT_EXCP0 plus their vector. */
export const VMEXIT = {
  EXCP0: 0x40n,
  HLT: 0x78n,
  IOIO: 0x7bn,
  MSR: 0x7cn,
  SHUTDOWN: 0x7fn,
  VMMCALL: 0x81n,
  NPF: 0x400n,
  INVALID: -1n,
} as const;

/** EXITINFO1 of a nested page fault, in addition to the bits of a page fault's error code (APM 15.25.6). */
export const NPF = { FINAL: 1n << 32n, TABLE: 1n << 33n } as const;

/** EXITINFO1 of VMEXIT_IOIO (APM 15.10.2); the port is in bits 31:16. */
export const IOIO = {
  IN: 1n << 0n,
  SZ8: 1n << 4n,
  SZ16: 1n << 5n,
  SZ32: 1n << 6n,
  A16: 1n << 7n,
  A32: 1n << 8n,
  A64: 1n << 9n,
  PORT_SHIFT: 16n,
} as const;

/** EVENTINJ and EXITINTINFO (APM 15.20). */
export const EVENT = {
  VECTOR: 0xffn,
  TYPE_SHIFT: 8n,
  TYPE: 7n,
  TYPE_EXCEPTION: 3n,
  EV: 1n << 11n,
  V: 1n << 31n,
} as const;

/** Reads and writes fields in the bytes of a VMCB. */
export class VmcbView {
  private readonly view: DataView;

  /** @param bytes at least {@link VMCB_SIZE} of them. */
  constructor(readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get([offset, bytes]: VmcbField): bigint {
    switch (bytes) {
      case 1:
        return BigInt(this.view.getUint8(offset));
      case 2:
        return BigInt(this.view.getUint16(offset, true));
      case 4:
        return BigInt(this.view.getUint32(offset, true));
      case 8:
        return this.view.getBigUint64(offset, true);
    }
  }

  set([offset, bytes]: VmcbField, value: bigint): void {
    switch (bytes) {
      case 1:
        this.view.setUint8(offset, Number(BigInt.asUintN(8, value)));
        break;
      case 2:
        this.view.setUint16(offset, Number(BigInt.asUintN(16, value)), true);
        break;
      case 4:
        this.view.setUint32(offset, Number(BigInt.asUintN(32, value)), true);
        break;
      case 8:
        this.view.setBigUint64(offset, BigInt.asUintN(64, value), true);
        break;
    }
  }
}
