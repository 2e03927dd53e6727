/**
 * An image with the built-in one's layout whose startup_64 has instructions of its own: it sets the stack, calls
 * verify_cpu, and adds the load offset to four entries of the static tables, as the model does up to the identity map.
 */
import { buildBuiltInImage } from '../../../src/firmware/image/built-in.js';
import { readKernelImage, type KernelImage } from '../../../src/firmware/image/kernel-image.js';
import { BASE_VARIABLES } from '../../../src/linux/index.js';
import { link } from '../../../src/series/link.js';
import { buildElf } from '../../firmware/image/build.js';
import { sha256 } from '../../helpers.js';

export const LABEL = 'startup_64:identity-map';

const builtIn = buildBuiltInImage(link([]).baseFunctions, BASE_VARIABLES, sha256);
const address = (name: string): number => {
  const symbol = builtIn.symbols.get(name);
  if (symbol === undefined) throw new Error(name);
  return symbol.address;
};

const hex = (text: string): number[] => [...Buffer.from(text.replaceAll(' ', ''), 'hex')];
const le32 = (value: number): number[] => [...new Uint8Array(Int32Array.of(value).buffer)];

/** Code from an address on; each instruction ends in a 32-bit distance to its target, or has none. */
class Code {
  readonly bytes: number[] = [];
  constructor(readonly start: number) {}

  plain(text: string): this {
    this.bytes.push(...hex(text));
    return this;
  }
  to(text: string, target: number): this {
    const opcode = hex(text);
    const next = this.start + this.bytes.length + opcode.length + 4;
    this.bytes.push(...opcode, ...le32(target - next));
    return this;
  }
}

const ADD_RBP = '48 01 2d';
const LEVEL3 = address('level3_kernel_pgt');

export interface Mistakes {
  /** The entry of level2_fixmap_pgt that the last store changes; right: 506. */
  readonly fixmapEntry?: number;
  /** Instructions before the end. */
  readonly extra?: string;
}

/** Offset of the instruction after the call, at which the image has a label. */
const AFTER_VERIFY_CPU = 12;

/** The image as an ELF file. */
export function elf({ fixmapEntry = 506, extra = '' }: Mistakes = {}): Uint8Array {
  const code = new Code(address('startup_64'))
    // lea rsp, [__end_init_task - 8]; call verify_cpu; lea rbp, [_text]; sub rbp, 0x1000000
    .to('48 8d 25', address('__end_init_task') - 8)
    .to('e8', address('verify_cpu'))
    .to('48 8d 2d', address('_text'))
    .plain('48 81 ed 00 00 00 01')
    .to(ADD_RBP, address('early_level4_pgt') + 511 * 8)
    .to(ADD_RBP, LEVEL3 + 510 * 8)
    .to(ADD_RBP, LEVEL3 + 511 * 8)
    .to(ADD_RBP, address('level2_fixmap_pgt') + fixmapEntry * 8)
    .plain(extra);
  const label = code.start + code.bytes.length;
  // jmp to itself; verify_cpu: pushf; push 0; popf; popf; xor eax, eax; ret
  code.plain('eb fe');
  const [segment] = builtIn.segments;
  if (segment === undefined) throw new Error('no segment');
  const bytes = segment.bytes.slice();
  bytes.set(code.bytes, code.start - segment.vaddr);
  bytes.set(hex('9c 6a 00 9d 9d 31 c0 c3'), address('verify_cpu') - segment.vaddr);
  const symbols = [...builtIn.symbols.names()].map((name) => ({ name, value: address(name) }));
  return buildElf({
    segments: [{ ...segment, bytes, flags: 7 }],
    entry: builtIn.entry,
    symbols: [
      ...symbols,
      { name: 'startup_64:after-verify_cpu', value: code.start + AFTER_VERIFY_CPU },
      { name: LABEL, value: label },
    ],
  });
}

export function image(mistakes?: Mistakes): KernelImage {
  return readKernelImage(elf(mistakes), { file: 'own.elf' });
}

export { address };
