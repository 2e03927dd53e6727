/** CPUs, the screen, what was read, and the sanitizer's reports. */
import { registerText } from '../../inspect/register-text.js';
import type { Registers } from '../messages.js';
import { shown } from './format.js';
import type { ViewProps } from './map.js';

function Cpu({ registers, open }: { registers: Registers; open: boolean }) {
  const rows = Object.entries(registers).filter(([name]) => name !== 'cpu');
  return (
    <details open={open}>
      <summary>
        CPU {shown(registers.cpu)}: {shown(registers.activity)}, {shown(registers.mode)}
      </summary>
      <table class="registers">
        <tbody>
          {rows.map(([name, value]) => (
            <tr>
              <th scope="row">{name === 'notModelled' ? 'not modelled' : name}</th>
              <td class="mono">
                {Array.isArray(value) ? shown(value.join(', ')) : shown(registerText(value))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}

export function Cpus({ frame }: ViewProps) {
  return (
    <div id="cpus">
      {frame.cpus.map((registers, id) => (
        <Cpu registers={registers} open={id === 0} />
      ))}
    </div>
  );
}

const linesText = (lines: readonly string[]): string => lines.map(shown).join('\n');

export function Screen({ frame, boot }: ViewProps) {
  const { screen } = frame;
  if (screen === undefined) return <p>The machine of this scenario has no screen.</p>;
  if (boot.begun.labels === undefined) {
    return (
      <>
        <p class="soft">What the kernel has sent to the first serial port (console=ttyS0).</p>
        <pre class="screen" id="screen">
          {linesText(screen)}
        </pre>
      </>
    );
  }
  return (
    <pre class="screen" id="screen">
      {screen.length === 0 ? 'The screen is blank.' : linesText(screen)}
    </pre>
  );
}

export function Reads({ frame, setPlace, boot }: ViewProps) {
  if (frame.reads === undefined) {
    return (
      <p id="reads">Who reads what is known of the model only, not of executed instructions.</p>
    );
  }
  const reads = [...frame.reads].sort((a, b) => Number(a.intact) - Number(b.intact));
  if (reads.length === 0)
    return <p>Nothing of the loader, firmware or devices has been read yet.</p>;
  const regions = new Set(frame.regions.map(({ name }) => name));
  return (
    <div class="scroll">
      <p class="soft">
        What loader, firmware and devices had written, and whether its reader got those bytes.
      </p>
      <table id="reads">
        <thead>
          <tr>
            <th scope="col">What</th>
            <th scope="col">Read by</th>
            <th scope="col">As it was written</th>
          </tr>
        </thead>
        <tbody>
          {reads.map(({ name, by, intact, firstDifference }) => (
            <tr>
              <td>
                {regions.has(name) ? (
                  <button
                    type="button"
                    class="link"
                    onClick={() => {
                      setPlace({ panel: 'memory', place: name });
                    }}
                  >
                    {shown(name)}
                  </button>
                ) : (
                  shown(name)
                )}
              </td>
              <td>
                <button
                  type="button"
                  class="link mono"
                  title="Its events in this step"
                  onClick={() => {
                    setPlace({ panel: 'events', filter: `in=${by}` });
                  }}
                >
                  {shown(by)}
                </button>
              </td>
              <td class={intact ? 'good' : 'bad'}>
                {intact ? 'yes' : 'no'}
                {firstDifference === undefined ? '' : `, from byte ${firstDifference} on`}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="soft">{boot.ended ? '' : 'The boot still runs.'}</p>
    </div>
  );
}

/** The address at the beginning of a range in text. */
const addressIn = (text: string): string | undefined => /^0x[0-9a-f]+/.exec(text)?.[0];

export function Reports({ frame, setPlace, boot }: ViewProps) {
  const { reports } = frame;
  if (reports === undefined) {
    const why = boot.begun.labels === undefined ? ': an executed boot needs --sanitize for it' : '';
    return <p id="reports">The sanitizer is off{why}.</p>;
  }
  if (reports.length === 0) return <p id="reports">The sanitizer has nothing to report so far.</p>;
  return (
    <ol class="reports" id="reports">
      {reports.map((report) => {
        const { rule, n, step, at, what, earlier, outcome, hunk } = report;
        const place = addressIn(at);
        return (
          <li>
            <p>
              <strong>{rule}</strong>
              {n === undefined ? '' : ` × ${n}`} in <code>{shown(report.in)}</code>
              {hunk === undefined ? '' : <span class="hunk"> {hunk}</span>}, step{' '}
              <button
                type="button"
                class="link mono"
                onClick={() => {
                  setPlace({ at: step });
                }}
              >
                {step}
              </button>
            </p>
            <p>{shown(what)}</p>
            <p>
              At{' '}
              <button
                type="button"
                class="link mono"
                onClick={() => {
                  if (place !== undefined) setPlace({ panel: 'memory', place });
                }}
              >
                {shown(at)}
              </button>
              . Outcome: {outcome}.
            </p>
            {earlier !== undefined && (
              <p class="soft">
                Before: {shown(earlier.what)} ({shown(earlier.in)}
                {earlier.hunk === undefined ? '' : `, ${earlier.hunk}`}
                {earlier.step === undefined ? '' : `, step ${earlier.step}`})
              </p>
            )}
          </li>
        );
      })}
    </ol>
  );
}
