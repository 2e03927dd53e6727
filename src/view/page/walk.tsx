/** The page walk for an address, with the TLB's entry and the cached lines of each table entry. */
import { useState } from 'preact/hooks';
import type { CachedRow } from '../../inspect/cached.js';
import { walkEnd } from '../../inspect/walk-text.js';
import type { WalkRows } from '../messages.js';
import { CpuChoice } from './cpu-choice.js';
import { shown } from './format.js';
import type { ViewProps } from './map.js';
import { PlaceForm } from './place-form.js';
import { useAnswer } from './use-answer.js';

const lineText = ({ key, dirty, writer, same }: CachedRow): string =>
  `C=${key === 0 ? '0' : '1'}${dirty ? ', dirty' : ''}${writer === undefined ? '' : `, written by ${writer}`}${
    same ? '' : ', not what DRAM has'
  }`;

function Levels({ walk, cached }: WalkRows) {
  return (
    <div class="scroll">
      <table id="walk">
        <thead>
          <tr>
            <th scope="col">Level</th>
            <th scope="col">Table</th>
            <th scope="col">Index</th>
            <th scope="col">Entry</th>
            <th scope="col">C</th>
            <th scope="col">Leads to</th>
            <th scope="col">In the cache</th>
          </tr>
        </thead>
        <tbody>
          {walk.levels.map((level, i) => (
            <tr>
              <th scope="row">{level.level}</th>
              <td class="mono">
                {level.table}, {level.readAs}
              </td>
              <td>{level.index}</td>
              <td class="mono">{level.entry}</td>
              <td>
                <span class={`c c${level.c}`}>{level.c}</span>
              </td>
              <td class="mono">
                {level.target ?? ''} {level.kind}
                {level.flags === undefined ? '' : ` ${level.flags}`}
                {level.reserved === undefined ? '' : ` reserved bits ${level.reserved}`}
                {level.absent === true ? ' no memory there' : ''}
              </td>
              <td>{shown((cached[i] ?? []).map(lineText).join('; ') || 'no')}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function Walk(props: ViewProps) {
  const { asker, label, place } = props;
  const [cpu, setCpu] = useState(0);
  const answer = useAnswer(
    asker,
    'walk',
    { label, place: place.place, cpu },
    `${props.key} ${place.place} ${cpu}`,
  );
  const rows = answer.value;
  return (
    <>
      <PlaceForm {...props} verb="Walk" />
      <CpuChoice frame={props.frame} cpu={cpu} choose={setCpu} />
      {answer.error !== undefined && (
        <p class="error" role="alert">
          {answer.error}
        </p>
      )}
      {rows !== undefined && (
        <>
          <p>
            <code>{rows.walk.va}</code>
            {rows.symbol === undefined ? '' : ` ${shown(rows.symbol)}`}
          </p>
          {rows.walk.levels.length > 0 && <Levels {...rows} />}
          <p id="walk-end">
            <strong>{shown(walkEnd(rows.walk))}</strong>
          </p>
          <p class="soft">
            {rows.tlb === undefined
              ? 'The TLB has no translation of it.'
              : `In the TLB: ${rows.tlb.va} to ${rows.tlb.pa}, C=${rows.tlb.c}, ${rows.tlb.type}, ${rows.tlb.flags}${
                  rows.tlb.stale === undefined
                    ? ''
                    : `; the page tables have now: ${rows.tlb.stale}`
                }`}
          </p>
        </>
      )}
    </>
  );
}
