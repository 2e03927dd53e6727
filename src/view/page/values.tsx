/** Values of the scenario: those with a field of their own, the command line, and any other. */
import type { ChangeProps as Props } from './change-props.js';
import { valueOf, withValue } from './settings.js';
import { useDraft } from './use-draft.js';

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

interface FieldProps extends Pick<Props, 'choice' | 'change'> {
  readonly path: string;
  readonly hint: string;
}

function Field({ path, hint, choice, change }: FieldProps) {
  const draft = useDraft(valueOf(choice.set, path), (text) => {
    change({ set: withField(choice.set, path, text.trim()) });
  });
  return <input data-path={path} placeholder={hint} {...draft} />;
}

function CommandLine({ choice, change }: Pick<Props, 'choice' | 'change'>) {
  const cmdline = valueOf(choice.set, 'cmdline');
  const draft = useDraft(cmdline.startsWith('"') ? unquoted(cmdline) : cmdline, (text) => {
    change({ set: withValue(choice.set, 'cmdline', text === '' ? '' : JSON.stringify(text)) });
  });
  return <input data-path="cmdline" placeholder="that of the scenario" {...draft} />;
}

export function Values({ choice, change }: Props) {
  const paths = FIELDS.map(([path]): string => path);
  const others = choice.set.filter(
    (each) => ![...paths, 'cmdline'].some((path) => each.startsWith(`${path}=`)),
  );
  const lines = useDraft(others.join('\n'), (text) => {
    const given = text.split('\n').map((line) => line.trim());
    const kept = choice.set.filter((each) => !others.includes(each));
    change({ set: [...kept, ...given.filter((line) => line !== '')] });
  });
  return (
    <fieldset>
      <legend>Machine</legend>
      <div class="fields">
        {FIELDS.map(([path, title, hint]) => (
          <label>
            {title}
            <Field path={path} hint={hint} choice={choice} change={change} />
          </label>
        ))}
      </div>
      <label>
        Command line
        <CommandLine choice={choice} change={change} />
      </label>
      <label>
        Other values, one PATH=VALUE a line
        <textarea rows={2} {...lines} />
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
