/**
 * The decoder of the x86 BCJ filter (.xz format 1.0.4, 5.3.2, filter 0x04; rules of the LZMA SDK's x86 filter): the
 * encoder makes the relative targets of CALL (E8) and JMP (E9) absolute, so that equal targets are equal bytes.
 */

/** Bytes of an instruction: an opcode and a 32-bit displacement. */
const INSTRUCTION = 5;
const OPCODE = 0xe8;
/** E8 and E9 differ in the lowest bit. */
const OPCODE_MASK = 0xfe;
/** A displacement is converted if its top byte is one of these two. */
const isSign = (byte: number): boolean => byte === 0 || byte === 0xff;
/** Whether a byte here may be an opcode, indexed by a mask of which of the last three bytes look like opcodes. */
const MAY_FOLLOW = [true, true, true, false, true, false, false, false] as const;
/** The byte of the displacement in which such an opcode would end, by the same index. */
const SIGN_BYTE = [0, 1, 2, 2, 3, 3, 3, 3] as const;
/** Targets are 25-bit numbers, sign-extended. */
const TARGET_BITS = 0x01ff_ffff;
const TARGET_SIGN = 0x0100_0000;

/** Undoes the filter in place on the whole output of a block; `start` is the position of its first byte. */
export function undoBcjX86(bytes: Uint8Array, start = 0): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  /** Bit n: the byte n + 1 positions before looks like an opcode, but is not one. */
  let before = 0;
  let last = -INSTRUCTION;
  const end = bytes.length - INSTRUCTION;
  for (let at = 0; at <= end; at++) {
    if (((bytes[at] as number) & OPCODE_MASK) !== OPCODE) continue;
    const distance = at - last;
    last = at;
    if (distance > 3) before = 0;
    else {
      before = (before << (distance - 1)) & 7;
      if (
        before !== 0 &&
        (MAY_FOLLOW[before] !== true ||
          isSign(bytes[at + INSTRUCTION - 1 - (SIGN_BYTE[before] ?? 0)] as number))
      ) {
        before = (before << 1) | 1;
        continue;
      }
    }
    if (!isSign(bytes[at + INSTRUCTION - 1] as number)) {
      before = (before << 1) | 1;
      continue;
    }
    view.setInt32(at + 1, relative(view.getInt32(at + 1, true), start + at, before), true);
    at += INSTRUCTION - 1;
  }
}

/** The displacement that the encoder has converted to `target`, for an instruction at `at`. */
function relative(target: number, at: number, before: number): number {
  for (;;) {
    const displacement = (target - (at + INSTRUCTION)) | 0;
    const shift = (SIGN_BYTE[before] ?? 0) * 8;
    if (before === 0 || !isSign((displacement >>> (24 - shift)) & 0xff)) {
      const low = displacement & TARGET_BITS;
      return low | -(low & TARGET_SIGN);
    }
    target = displacement ^ (2 ** (32 - shift) - 1);
  }
}
