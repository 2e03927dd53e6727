/** What is booted: scenario, patches, hunks, values, image. Each change boots again. */
import type { ChangeProps as Props } from './change-props.js';
import { shown } from './format.js';
import { Execute, Kernel } from './kernel.js';
import { Patches } from './patches.js';
import { Values } from './values.js';

export function Change(props: Props) {
  const { scenarios, choice, initial, words, error, change } = props;
  return (
    <aside class="change" aria-label="What is booted">
      <details open={window.innerWidth > 900}>
        <summary>
          <h2>Change it and see</h2>
        </summary>
        {error !== undefined && (
          <p class="error" role="alert" id="choice-error">
            {error}
          </p>
        )}
        <label>
          Scenario
          <select
            id="scenario"
            value={choice.scenario}
            onChange={({ currentTarget }) => {
              change({ scenario: currentTarget.value });
            }}
          >
            {scenarios.map(({ name, title }) => (
              <option value={name} title={shown(title)}>
                {shown(name)}
              </option>
            ))}
          </select>
        </label>
        {!choice.execute && <Patches {...props} />}
        <Values {...props} />
        <Kernel {...props} />
        <Execute {...props} />
        <p class="soft">The same in a terminal:</p>
        <pre class="words" id="words">
          {shown(words)}
        </pre>
        <button
          type="button"
          id="reset"
          onClick={() => {
            change(initial);
          }}
        >
          As it was opened
        </button>
      </details>
    </aside>
  );
}
