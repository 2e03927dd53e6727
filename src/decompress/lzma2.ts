/** LZMA2 (.xz format 1.0.4, 5.3.1; names of chunks from the LZMA SDK's Lzma2Dec.c): chunks of LZMA or of stored bytes. */
import { LzmaDecoder, RANGE_CODER_INIT, readProps } from './lzma-decoder.js';
import type { Output } from './output.js';
import type { Source } from './source.js';

/** A chunk's control byte. */
const CONTROL = {
  end: 0,
  copyResetDictionary: 1,
  copy: 2,
  lzma: 0x80,
  /** Bits 5 and 6 of an LZMA chunk: what is reset. */
  resetShift: 5,
  resetMask: 3,
  /** Bits 0 to 4: bits 16 to 20 of the size minus one. */
  sizeMask: 0x1f,
} as const;
const RESET = { state: 1, properties: 2, dictionary: 3 } as const;
/** LZMA2 allows fewer contexts than LZMA. */
const LC_LP_MAX = 4;
const LARGEST_DICTIONARY_CODE = 40;

/** The dictionary size for a filter's property byte (5.3.1); undefined for a reserved one. */
export function lzma2DictionarySize(code: number): number | undefined {
  if (code > LARGEST_DICTIONARY_CODE) return undefined;
  if (code === LARGEST_DICTIONARY_CODE) return 2 ** 32 - 1;
  return (2 | (code & 1)) * 2 ** (Math.floor(code / 2) + 11);
}

const u16be = (source: Source, at: number, what: string): number =>
  (source.u8(at, what) << 8) | source.u8(at + 1, what);

/** Decodes chunks up to the end marker. Returns the offset after it. */
export function decodeLzma2(
  source: Source,
  out: Output,
  start: number,
  dictionarySize: number,
): number {
  const decoder = new LzmaDecoder(source, out, dictionarySize);
  decoder.dictionary = out.length;
  let needsDictionary = true;
  let needsProperties = true;
  let needsState = true;
  let at = start;
  for (;;) {
    const control = source.u8(at, 'LZMA2 chunk');
    if (control === CONTROL.end) return at + 1;
    if (control > CONTROL.copy && control < CONTROL.lzma) {
      throw source.corrupt(at, `LZMA2 control byte ${control}`);
    }
    const lzma = control >= CONTROL.lzma;
    const reset = lzma ? (control >>> CONTROL.resetShift) & CONTROL.resetMask : 0;
    if (reset === RESET.dictionary || control === CONTROL.copyResetDictionary) {
      needsDictionary = false;
      decoder.dictionary = out.length;
    } else if (needsDictionary) {
      throw source.corrupt(at, 'the first LZMA2 chunk does not reset the dictionary');
    }
    const sizeLow = u16be(source, at + 1, 'size of an LZMA2 chunk') + 1;
    if (!lzma) {
      out.append(source.slice(at + 3, sizeLow, 'LZMA2 chunk'), at);
      at += 3 + sizeLow;
      continue;
    }
    const size = ((control & CONTROL.sizeMask) << 16) + sizeLow;
    const packed = u16be(source, at + 3, 'packed size of an LZMA2 chunk') + 1;
    let data = at + 5;
    if (reset >= RESET.properties) {
      const props = readProps(source.u8(data, 'LZMA2 properties'));
      if (props === undefined || props.lc + props.lp > LC_LP_MAX) {
        throw source.corrupt(data, 'LZMA2 properties');
      }
      decoder.setProps(props);
      needsProperties = false;
      data++;
    } else if (needsProperties) {
      throw source.corrupt(at, 'an LZMA2 chunk without properties');
    }
    if (reset >= RESET.state) {
      decoder.resetState();
      needsState = false;
    } else if (needsState) {
      throw source.corrupt(at, 'an LZMA2 chunk without a state');
    }
    source.need(data, packed, 'LZMA2 chunk');
    if (packed < RANGE_CODER_INIT) throw source.corrupt(at, 'an LZMA2 chunk without its code');
    out.reserve(size, at);
    decoder.startRange(data);
    const marked = decoder.decode(out.length + size, data + packed);
    decoder.normalize();
    if (marked || decoder.position !== data + packed || !decoder.finished) {
      throw source.corrupt(data + packed, 'an LZMA2 chunk does not end where its data do');
    }
    at = data + packed;
  }
}
