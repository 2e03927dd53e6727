/** .lzma files, "LZMA alone" (LZMA SDK, DOC/lzma-specification.txt, "Lzma file format"): a header of 13 bytes and one stream. */
import { LzmaDecoder, readProps } from './lzma-decoder.js';
import type { Output } from './output.js';
import type { Source } from './source.js';

const HEADER = { properties: 0, dictionarySize: 1, uncompressedSize: 5, size: 13 } as const;
/** A size of all ones is unknown: the stream has an end marker. */
const UNKNOWN_SIZE = 2 ** 64;
/** The least size of a dictionary (lzma-specification.txt). */
const SMALLEST_DICTIONARY = 1 << 12;

/** Decodes one stream. Returns the offset of its end. Data of a known size may be followed by an end marker. */
export function decodeLzma(source: Source, out: Output): number {
  source.need(0, HEADER.size, 'header of the LZMA stream');
  const byte = source.u8(HEADER.properties, 'LZMA properties');
  const props = readProps(byte);
  if (props === undefined) {
    throw source.error('E_CORRUPT', HEADER.properties, {
      reason: 'LZMA properties',
      expected: 'below 225',
      found: `${byte}`,
    });
  }
  const dictionarySize = source.u32(HEADER.dictionarySize, 'dictionary size');
  const announced = source.u64(HEADER.uncompressedSize, 'uncompressed size');
  const known = announced < UNKNOWN_SIZE;
  if (known && announced > out.remaining) throw out.tooMuch(HEADER.uncompressedSize);
  const start = out.length;
  const decoder = new LzmaDecoder(source, out, Math.max(dictionarySize, SMALLEST_DICTIONARY));
  decoder.dictionary = start;
  decoder.setProps(props);
  decoder.resetState();
  decoder.startRange(HEADER.size);
  const end = known ? start + announced : Infinity;
  const marked = decoder.decode(end, source.length);
  if (marked && known && out.length !== end) {
    throw source.error('E_CORRUPT', HEADER.uncompressedSize, {
      reason: 'uncompressed size of the LZMA stream',
      expected: `${out.length - start}, where its end marker is`,
      found: `${announced}`,
    });
  }
  decoder.normalize();
  source.need(decoder.position, 0, 'end of the LZMA stream');
  // A stream of known size ends here, or with an end marker; the code is 0 only after the marker was read.
  if (!marked && !decoder.finished && !decoder.decodeMarker(source.length)) {
    throw source.corrupt(decoder.position, 'the LZMA stream continues after its uncompressed size');
  }
  return decoder.position;
}
