/** fdt_next_tag() of libfdt over structure blocks that end anywhere. */
import { describe, expect, test } from '@jest/globals';
import { FDT_HEADER, FDT_TOKEN, writeFdt } from '../../../../src/firmware/fdt.js';
import type { Kernel } from '../../../../src/kernel/kernel.js';
import {
  fdt_check_header,
  fdt_next_tag,
  fdtBlob,
  FDT_ERR,
} from '../../../../src/linux/scripts/dtc/libfdt.js';
import { va } from '../../../../src/machine/address.js';

/** A kernel whose memory is one buffer. */
function kernelOver(bytes: Uint8Array): Kernel {
  const view = new DataView(bytes.buffer);
  const memory = {
    readU32: (at: number) => view.getUint32(at, true),
    readU8: (at: number) => view.getUint8(at),
  };
  return memory as object as Kernel;
}

const blob = writeFdt({
  name: '',
  properties: { compatible: Uint8Array.from([0x61, 0x62, 0x63, 0x64, 0]) },
  children: [{ name: 'leaf@1', properties: { reg: Uint8Array.of(0, 0, 0, 1) } }],
});
const field = (name: keyof typeof FDT_HEADER): number =>
  new DataView(blob.buffer).getUint32(FDT_HEADER[name]);
const SIZE = field('size_dt_struct');

function withField(
  name: keyof typeof FDT_HEADER,
  value: number,
  bytes: Uint8Array = blob.slice(),
): Uint8Array {
  new DataView(bytes.buffer).setUint32(FDT_HEADER[name], value);
  return bytes;
}

/** The tokens up to END, by tag and name, or up to an error. */
function walked(bytes: Uint8Array): (string | number)[] {
  const k = kernelOver(bytes);
  const from = fdtBlob(k, va(0));
  const seen: (string | number)[] = [];
  for (let offset = 0; ;) {
    const token = fdt_next_tag(k, from, offset);
    if (typeof token === 'number') return [...seen, token];
    seen.push(`${token.tag} ${token.name}`);
    if (token.tag === FDT_TOKEN.END) return seen;
    offset = token.next;
  }
}

describe('the structure block', () => {
  /** Offsets of the tokens, of which the last is END. */
  const BEGIN = FDT_TOKEN.BEGIN_NODE;
  const { PROP, END_NODE, END } = FDT_TOKEN;
  const tokens = [
    [0, `${BEGIN} `],
    [8, `${PROP} compatible`],
    [28, `${BEGIN} leaf@1`],
    [40, `${PROP} reg`],
    [56, `${END_NODE} `],
    [60, `${END_NODE} `],
    [64, `${END} `],
  ] as const;

  test('is read token by token to its end', () => {
    expect(walked(blob)).toEqual(tokens.map(([, text]) => text));
    expect(SIZE).toBe(68);
  });

  // fdt.c, fdt_next_tag(): no tag within the block is TRUNCATED; a tag whose rest is not, BADSTRUCTURE.
  test.each(Array.from({ length: 68 }, (_, size) => size))(
    'is refused if it is cut after %i bytes',
    (size) => {
      const whole = tokens.filter(([at], i) => (tokens[i + 1]?.[0] ?? 68) <= size || at < 0);
      const next = tokens[whole.length]?.[0] ?? 0;
      // A node's name ends with its NUL: the padding after it may be missing.
      const named = new Map([
        [0, 5],
        [28, 39],
      ]).get(next);
      const taken = named !== undefined && size >= named;
      const seen = tokens.slice(0, whole.length + (taken ? 1 : 0)).map(([, text]) => text);
      const error = size < next + 4 || taken ? FDT_ERR.TRUNCATED : FDT_ERR.BADSTRUCTURE;
      expect(walked(withField('size_dt_struct', size))).toEqual([...seen, error]);
    },
  );

  test('is refused at a tag that is none', () => {
    const bytes = blob.slice();
    new DataView(bytes.buffer).setUint32(field('off_dt_struct') + 28, 5);
    expect(walked(bytes)).toEqual([`${BEGIN} `, `${PROP} compatible`, FDT_ERR.BADSTRUCTURE]);
  });

  test('may have NOP tokens', () => {
    const bytes = blob.slice();
    for (const at of [56, 60]) {
      new DataView(bytes.buffer).setUint32(field('off_dt_struct') + at, FDT_TOKEN.NOP);
    }
    expect(walked(bytes).slice(-3)).toEqual([`${FDT_TOKEN.NOP} `, `${FDT_TOKEN.NOP} `, `${END} `]);
  });
});

test.each([
  ['with the name’s NUL as its last byte', 'compatible'.length + 1, `${FDT_TOKEN.PROP} compatible`],
  ['that ends before the name’s NUL', 'compatible'.length, FDT_ERR.BADSTRUCTURE],
  ['that ends before the name', 0, FDT_ERR.BADSTRUCTURE],
])('a strings block %s', (_what, size, second) => {
  expect(walked(withField('size_dt_strings', size))[1]).toBe(second);
});

describe('fdt_check_header()', () => {
  test.each([
    ['the header as written', 'magic', 0xd00d_feed, 0],
    ['another magic', 'magic', 0xd00d_feee, FDT_ERR.BADMAGIC],
    ['the magic of a tree under construction', 'magic', 0x2fe2_6f32, 0],
    ['version 15', 'version', 15, FDT_ERR.BADVERSION],
    ['version 16', 'version', 16, 0],
    ['a reader of version 17', 'last_comp_version', 17, 0],
    ['a reader of version 18', 'last_comp_version', 18, FDT_ERR.BADVERSION],
  ] as const)('for %s', (_what, name, value, expected) => {
    expect(fdt_check_header(kernelOver(withField(name, value)), va(0))).toBe(expected);
  });

  test('for a tree under construction without a structure block', () => {
    const bytes = withField('size_dt_struct', 0, withField('magic', 0x2fe2_6f32));
    expect(fdt_check_header(kernelOver(bytes), va(0))).toBe(FDT_ERR.BADSTATE);
  });
});
