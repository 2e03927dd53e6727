/** The regions of memory as a list: each is a link to its window of the map. */
import type { RegionRow } from '../messages.js';
import { hex, shown, sizeText } from './format.js';

interface RegionsProps {
  readonly regions: readonly RegionRow[];
  readonly mark: (region: RegionRow | undefined) => void;
  readonly open: (region: RegionRow) => void;
}

export function Regions({ regions, mark, open }: RegionsProps) {
  const sorted = [...regions].sort((a, b) => a.base - b.base || b.size - a.size);
  return (
    <details class="regions" open>
      <summary>{regions.length} regions</summary>
      <table id="regions">
        <thead>
          <tr>
            <th scope="col">Region</th>
            <th scope="col">At</th>
            <th scope="col">Size</th>
            <th scope="col">In DRAM</th>
          </tr>
        </thead>
        <tbody>
          {sorted.map((region) => (
            <tr onPointerEnter={() => mark(region)} onPointerLeave={() => mark(undefined)}>
              <td>
                <button
                  type="button"
                  class="link"
                  onFocus={() => mark(region)}
                  onBlur={() => mark(undefined)}
                  onClick={() => open(region)}
                >
                  {shown(region.name)}
                </button>
              </td>
              <td class="mono">{hex(region.base)}</td>
              <td>{sizeText(region.size)}</td>
              <td>
                <span class={`state ${region.state}`}>{region.state}</span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}
