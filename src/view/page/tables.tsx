/** The page tables as ranges of pages with equal attributes. */
import { useState } from 'preact/hooks';
import { CpuChoice } from './cpu-choice.js';
import { counted, hex, shown, sizeText } from './format.js';
import type { ViewProps } from './map.js';
import { useAnswer } from './use-answer.js';

/** A linear address as 64 bits. */
const linear = (va: number): string => `0x${BigInt.asUintN(64, BigInt(va)).toString(16)}`;

export function Tables(props: ViewProps) {
  const { asker, label, setPlace } = props;
  const [cpu, setCpu] = useState(0);
  const answer = useAnswer(asker, 'tables', { label, cpu }, `${props.key} ${cpu}`);
  const ranges = answer.value;
  return (
    <>
      <CpuChoice frame={props.frame} cpu={cpu} choose={setCpu} />
      {answer.error !== undefined && <p class="error">{answer.error}</p>}
      {ranges !== undefined && (
        <>
          <p class="soft">
            {ranges.length === 0 ? 'Paging is off.' : counted(ranges.length, 'range')}
          </p>
          <div class="scroll">
            <table id="tables">
              <thead>
                <tr>
                  <th scope="col">Linear</th>
                  <th scope="col">Physical</th>
                  <th scope="col">Size</th>
                  <th scope="col">Pages of</th>
                  <th scope="col">Flags</th>
                  <th scope="col">C</th>
                  <th scope="col">Type</th>
                </tr>
              </thead>
              <tbody>
                {ranges.map((range) => (
                  <tr>
                    <td class="mono">
                      <button
                        type="button"
                        class="link"
                        title="Walk"
                        onClick={() => {
                          setPlace({ panel: 'walk', place: linear(range.va) });
                        }}
                      >
                        {linear(range.va)}
                      </button>
                    </td>
                    <td class="mono">{hex(range.pa)}</td>
                    <td>{sizeText(range.bytes)}</td>
                    <td>{sizeText(range.page)}</td>
                    <td class="mono">
                      {range.flags}
                      {range.reserved === undefined ? '' : ` reserved ${range.reserved}`}
                    </td>
                    <td>
                      <span class={`c c${range.c}`}>{range.c}</span>
                    </td>
                    <td>{shown(range.type)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </>
      )}
    </>
  );
}
