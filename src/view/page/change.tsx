/** What is booted: scenario, patches, hunks, values. Each change boots again. */
import { useState } from 'preact/hooks';
import type { Choice } from '../choice.js';
import type { HunkRow, Offer, PatchRow, ScenarioText, Setup } from '../messages.js';
import type { SeriesRow } from './data.js';
import { shown } from './format.js';

interface Props {
  readonly offer: Offer;
  readonly scenarios: readonly ScenarioText[];
  readonly series: readonly SeriesRow[];
  readonly choice: Choice;
  readonly initial: Choice;
  /** The command line that makes the boot. */
  readonly words: string;
  /** The kernel image that boots, with its version. */
  readonly image: string;
  readonly error: string | undefined;
  readonly change: (next: Partial<Choice>) => void;
  readonly setKernel: (kernel: Setup['files']['kernel']) => void;
}

/** A list without an element, or with it. */
const toggled = (list: readonly string[], name: string, present: boolean): string[] =>
  present ? [...list.filter((each) => each !== name), name] : list.filter((each) => each !== name);

const number = (patch: number): string => String(patch).padStart(2, '0');

/** Whether a hunk is left out: itself, or its whole patch. */
const isOut = (choice: Choice, patch: number, id: string): boolean =>
  choice.without.includes(id) || choice.without.includes(number(patch));

function Hunk({ hunk, patch, props }: { hunk: HunkRow; patch: PatchRow; props: Props }) {
  const { choice, change } = props;
  const out = isOut(choice, patch.number, hunk.id);
  return (
    <label class="hunk-box" title={shown(`${hunk.what} (${hunk.file})`)}>
      <input
        type="checkbox"
        data-hunk={hunk.id}
        checked={!out}
        onChange={({ currentTarget }) => {
          const whole = number(patch.number);
          const rest = choice.without.includes(whole)
            ? [
                ...choice.without.filter((each) => each !== whole),
                ...patch.hunks.map(({ id }) => id),
              ]
            : choice.without;
          change({ without: toggled(rest, hunk.id, !currentTarget.checked) });
        }}
      />
      <span>
        <code>{hunk.id}</code> <span class="soft">{shown(hunk.what)}</span>
      </span>
    </label>
  );
}

function Patch({ patch, props }: { patch: PatchRow; props: Props }) {
  const { choice, change } = props;
  const applied =
    patch.number <= choice.stage || (choice.activate && patch.number === props.offer.stages);
  const out = patch.hunks.filter(({ id }) => isOut(choice, patch.number, id)).length;
  const used = patch.alternatives.filter(({ id }) => choice.with.includes(id)).length;
  const notes = [
    applied ? '' : 'not applied',
    out === 0 ? '' : `${out} left out`,
    used === 0 ? '' : `${used} changed`,
  ].filter((note) => note !== '');
  return (
    <details open={out + used > 0}>
      <summary class={applied ? '' : 'soft'}>
        Patch {number(patch.number)} <span class="soft">{notes.join(', ')}</span>
      </summary>
      {patch.hunks.map((hunk) => (
        <Hunk hunk={hunk} patch={patch} props={props} />
      ))}
      {patch.alternatives.map((each) => (
        <label class="hunk-box alternative" title={shown(`${each.what} (${each.file})`)}>
          <input
            type="checkbox"
            data-alternative={each.id}
            checked={choice.with.includes(each.id)}
            onChange={({ currentTarget }) => {
              change({ with: toggled(choice.with, each.id, currentTarget.checked) });
            }}
          />
          <span>
            <code>{each.id}</code>{' '}
            <span class="soft">
              {each.instead === '' ? 'on top' : `instead of ${each.instead ?? ''}`}:{' '}
              {shown(each.what)}
            </span>
          </span>
        </label>
      ))}
    </details>
  );
}

/** The value of a setting by its path; '' if it is not changed. */
const valueOf = (set: readonly string[], path: string): string =>
  set.find((each) => each.startsWith(`${path}=`))?.slice(path.length + 1) ?? '';

/** The settings with a value for a path; '' takes it away. */
function withValue(set: readonly string[], path: string, value: string): string[] {
  const rest = set.filter((each) => !each.startsWith(`${path}=`));
  return value === '' ? rest : [...rest, `${path}=${value}`];
}

/** Values that have a field of their own. */
const FIELDS = [
  ['machine.seed', 'Seed', 'any text'],
  ['machine.sme.cBit', 'C-bit', '12 to 51'],
  ['machine.cache.size', 'Cache', '64KiB, l3, 0'],
  ['machine.ram', 'RAM', '4GiB'],
] as const;

/** The number of address bits that are lost; the scenario has it together with the C-bit. */
const REDUCTION = 'machine.sme.reduction';
/** That of Zen 1. */
const ZEN_1_REDUCTION = '5';

/** The settings with a value of a field. A C-bit alone gets the address reduction of Zen 1. */
function withField(set: readonly string[], path: string, value: string): string[] {
  const changed = withValue(set, path, value);
  if (path !== 'machine.sme.cBit') return changed;
  if (value === '') return withValue(changed, REDUCTION, '');
  return valueOf(changed, REDUCTION) === ''
    ? withValue(changed, REDUCTION, ZEN_1_REDUCTION)
    : changed;
}

function Values({ choice, change }: Props) {
  const paths = FIELDS.map(([path]): string => path);
  const others = choice.set.filter(
    (each) => ![...paths, 'cmdline'].some((path) => each.startsWith(`${path}=`)),
  );
  const cmdline = valueOf(choice.set, 'cmdline');
  return (
    <fieldset>
      <legend>Machine</legend>
      <div class="fields">
        {FIELDS.map(([path, title, hint]) => (
          <label>
            {title}
            <input
              data-path={path}
              value={valueOf(choice.set, path)}
              placeholder={hint}
              spellcheck={false}
              onChange={({ currentTarget }) => {
                change({ set: withField(choice.set, path, currentTarget.value.trim()) });
              }}
            />
          </label>
        ))}
      </div>
      <label>
        Command line
        <input
          data-path="cmdline"
          value={cmdline.startsWith('"') ? unquoted(cmdline) : cmdline}
          placeholder="that of the scenario"
          spellcheck={false}
          onChange={({ currentTarget: { value } }) => {
            change({
              set: withValue(choice.set, 'cmdline', value === '' ? '' : JSON.stringify(value)),
            });
          }}
        />
      </label>
      <label>
        Other values, one PATH=VALUE a line
        <textarea
          rows={2}
          spellcheck={false}
          value={others.join('\n')}
          onChange={({ currentTarget }) => {
            const lines = currentTarget.value.split('\n').map((line) => line.trim());
            const kept = choice.set.filter((each) => !others.includes(each));
            change({ set: [...kept, ...lines.filter((line) => line !== '')] });
          }}
        />
      </label>
    </fieldset>
  );
}

/** The text of a quoted value; the value itself if it is not one. */
function unquoted(value: string): string {
  try {
    return String(JSON.parse(value));
  } catch (error) {
    if (error instanceof SyntaxError) return value;
    throw error;
  }
}

function Kernel({ offer, image, setKernel }: Props) {
  const [over, setOver] = useState(false);
  const [reading, setReading] = useState<string>();
  const take = (file: File | undefined): void => {
    if (file === undefined) return;
    setReading(file.name);
    void file.arrayBuffer().then((buffer) => {
      setKernel({ name: file.name, bytes: new Uint8Array(buffer) });
    });
  };
  return (
    <div
      class={over ? 'drop over' : 'drop'}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => {
        setOver(false);
      }}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        take(event.dataTransfer?.files[0]);
      }}
    >
      <label>
        Kernel image: <span id="image">{shown(image)}</span>
        {reading !== undefined && <span role="status"> (reading {shown(reading)}…)</span>}
        {offer.kernel === undefined && <span class="soft">; drop a bzImage or vmlinux here</span>}
        <input
          type="file"
          id="kernel"
          onChange={({ currentTarget }) => {
            take(currentTarget.files?.[0]);
          }}
        />
      </label>
    </div>
  );
}

export function Change(props: Props) {
  const { offer, scenarios, series, choice, initial, words, error, change } = props;
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
        <label>
          Patches 1 to {choice.stage}
          <input
            type="range"
            id="stage"
            min={0}
            max={offer.stages}
            value={choice.stage}
            onChange={({ currentTarget }) => {
              change({ stage: Number(currentTarget.value) });
            }}
          />
        </label>
        <label class="check">
          <input
            type="checkbox"
            id="activate"
            checked={choice.activate}
            disabled={choice.stage === offer.stages}
            onChange={({ currentTarget }) => {
              change({ activate: currentTarget.checked });
            }}
          />
          and patch {offer.stages}, which turns encryption on
        </label>
        <label>
          Series
          <select
            id="series"
            value=""
            onChange={({ currentTarget }) => {
              const found = series.find(({ name }) => name === currentTarget.value);
              if (found === undefined) return;
              const { name: _name, title: _title, ...selection } = found;
              change(selection);
            }}
          >
            <option value="">take one over…</option>
            {series.map(({ name, title }) => (
              <option value={name} title={shown(title)}>
                {shown(name)}
              </option>
            ))}
          </select>
        </label>
        <fieldset class="hunks">
          <legend>Hunks</legend>
          <label class="check">
            <input
              type="checkbox"
              id="stub"
              checked={choice.stub}
              disabled={choice.without.length === 0}
              onChange={({ currentTarget }) => {
                change({ stub: currentTarget.checked });
              }}
            />
            replace what is left out by stubs
          </label>
          {offer.patches.map((patch) => (
            <Patch patch={patch} props={props} />
          ))}
        </fieldset>
        <Values {...props} />
        <Kernel {...props} />
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
