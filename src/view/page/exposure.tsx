/** The memory that is in the clear. */
import type { ExposedRange } from '../../inspect/exposure/exposure.js';
import { RangeLink } from './links.js';
import type { ViewProps } from './map.js';
import { shown, sizeText } from './format.js';
import { useAnswer } from './use-answer.js';

/** Most ranges that a sentence lists (our choice). */
const MOST_REMNANTS = 8;

/** What a person would recognise in bytes. */
function looksLike(
  { zero, texts, formats, random }: ExposedRange['contents'],
  bytes: number,
): string {
  if (formats.length > 0) return formats.map(({ name }) => name).join(', ');
  if (zero === bytes) return 'zeros';
  if (random) return 'no pattern';
  const [first] = texts;
  return first === undefined ? '' : `text: ${first.text}`;
}

export function Exposure(props: ViewProps) {
  const { asker, label } = props;
  const { value, error } = useAnswer(asker, 'exposure', { label }, props.key);
  if (error !== undefined) return <p class="error">{error}</p>;
  if (value === undefined) return <p class="wait">…</p>;
  if (value.encryption.length === 0) {
    return <p id="exposure">No CPU has encryption on: all memory is plaintext.</p>;
  }
  return (
    <div class="scroll" id="exposure">
      <p>
        {sizeText(value.dram)} of DRAM are plaintext, {sizeText(value.cache)} more will be with the
        next write-back.
        {props.boot.begun.labels === undefined &&
          ' The accesses of an executed boot are not recorded here: sme-boot exposure --execute has the reasons.'}
      </p>
      {value.remnants.length > 0 && (
        <p>
          Left in the clear by a write under a key of a part of their line:{' '}
          {value.remnants.slice(0, MOST_REMNANTS).map(({ start, bytes }, i) => (
            <>
              {i > 0 && ', '}
              <RangeLink base={start} size={bytes} view={props} />
            </>
          ))}
          {value.remnants.length > MOST_REMNANTS &&
            ` and ${value.remnants.length - MOST_REMNANTS} more`}
          .
        </p>
      )}
      <table>
        <thead>
          <tr>
            <th scope="col">Range</th>
            <th scope="col">Size</th>
            <th scope="col">Names</th>
            <th scope="col">Owner</th>
            <th scope="col">Written by</th>
            <th scope="col">Why it is in the clear</th>
            <th scope="col">Looks like</th>
          </tr>
        </thead>
        <tbody>
          {value.ranges.map(
            ({ start, bytes, where, ciphertext, names, owner, writer, why, contents }) => (
              <tr>
                <td class="mono">
                  <RangeLink base={start} size={bytes} view={props} />
                  {where === 'cache' ? ' (in the cache)' : ''}
                </td>
                <td>
                  {sizeText(bytes)}
                  {ciphertext > 0 && `, of which ${sizeText(ciphertext)} are ciphertext still`}
                </td>
                <td>{shown(names.slice(0, 3).join(', '))}</td>
                <td>{shown(owner.text)}</td>
                <td class="mono">{shown(writer.fn)}</td>
                <td>{shown(why.text)}</td>
                <td>{shown(looksLike(contents, bytes))}</td>
              </tr>
            ),
          )}
        </tbody>
      </table>
    </div>
  );
}
