/** Two boots side by side: the one that is shown, and the one that it is compared with. */
import type { EventDifference, FieldDifference, StepDifference } from '../../check/compare.js';
import type { ReportDifference } from '../../check/compare-reports.js';
import type { SanitizerReport } from '../../trace/report.js';
import type { TraceEvent } from '../../trace/trace.js';
import { kindOf } from '../../trace/vocabulary.js';
import { counted, shown, sizeText } from './format.js';
import { RangeLink } from './links.js';
import type { ViewProps } from './map.js';
import { useAnswer } from './use-answer.js';
import type { BootState } from './use-boot.js';

/** The boot that is compared with. */
export interface Other {
  readonly state: BootState;
  /** Whether it is the boot that is shown. */
  readonly isBase: boolean;
  readonly setBase: () => void;
}

/** An event in a line. */
function eventText(event: TraceEvent): string {
  const kind = kindOf(event) ?? '';
  const rest = Object.entries(event).filter(([name]) => name !== kind && name !== 'file');
  return shown(
    [kind, event[kind], ...rest.map(([name, value]) => `${name}=${String(value)}`)].join(' '),
  );
}

/** The values of fields that differ. */
const fieldsText = (fields: readonly FieldDifference[]): string =>
  shown(
    fields
      .map(
        ({ field, expected, found }) =>
          `${field}: ${String(expected ?? 'none')} → ${String(found ?? 'none')}`,
      )
      .join('; '),
  );

const SIGNS = { gone: '−', added: '+', changed: '~' };

function EventLine({ event }: { event: EventDifference }) {
  const { change } = event;
  return (
    <li class={change}>
      <span class="sign" aria-label={change}>
        {SIGNS[change]}
      </span>{' '}
      {change === 'changed'
        ? `${eventText(event.expected)} — ${fieldsText(event.fields)}`
        : eventText(event.event)}
    </li>
  );
}

/** Differences of a step that are shown (our choice). */
const MOST = 40;

function Step({
  step,
  open,
  go,
}: {
  step: StepDifference;
  open: boolean;
  readonly go: (label: string) => void;
}) {
  const { label, change, events } = step;
  return (
    <details open={open}>
      <summary>
        <code>{label}</code>{' '}
        {change === 'changed'
          ? counted(events.length, 'difference')
          : change === 'gone'
            ? 'only in the other boot'
            : 'only in this boot'}
      </summary>
      {change !== 'gone' && (
        <button
          type="button"
          onClick={() => {
            go(label);
          }}
        >
          Go to this step
        </button>
      )}
      <ul class="diff mono">
        {events.slice(0, MOST).map((event) => (
          <EventLine event={event} />
        ))}
        {events.length > MOST && <li class="soft">{events.length - MOST} more: sme-boot diff</li>}
      </ul>
    </details>
  );
}

function Fields({ title, fields }: { title: string; fields: readonly FieldDifference[] }) {
  if (fields.length === 0) return null;
  return (
    <details open={fields.length < 10}>
      <summary>
        {title}: {counted(fields.length, 'difference')}
      </summary>
      <ul class="diff mono">
        {fields.map((field) => (
          <li>{fieldsText([field])}</li>
        ))}
      </ul>
    </details>
  );
}

const reportText = ({ rule, what, at }: SanitizerReport): string => shown(`${rule} ${at}: ${what}`);

function Reports({ reports }: { reports: readonly ReportDifference[] }) {
  if (reports.length === 0) return null;
  return (
    <details open>
      <summary>Reports: {counted(reports.length, 'difference')}</summary>
      <ul class="diff">
        {reports.map((each) => (
          <li class={each.change}>
            <span class="sign" aria-label={each.change}>
              {SIGNS[each.change]}
            </span>{' '}
            {each.change === 'changed'
              ? `${reportText(each.found)} — ${fieldsText(each.fields)}`
              : reportText(each.report)}
          </li>
        ))}
      </ul>
    </details>
  );
}

export function Difference(props: ViewProps & { readonly other: Other }) {
  const { asker, label, boot, setPlace, other } = props;
  const { state, isBase, setBase } = other;
  const ready = state.boot?.ended === true && boot.ended;
  const { value, error } = useAnswer(
    asker,
    'difference',
    ready ? { label } : undefined,
    `${props.key} ${state.boot?.run ?? 0} ${String(ready)}`,
  );
  const failed = state.error ?? error;
  return (
    <div id="difference">
      <p>
        Compared with <code>{state.boot?.begun.words ?? '…'}</code>.{' '}
        {!isBase && (
          <button type="button" onClick={setBase}>
            Compare with what is shown now
          </button>
        )}
      </p>
      {isBase && <p class="soft">Both are the same boot: change something on the left.</p>}
      {failed !== undefined && (
        <p class="error" role="alert">
          {failed}
        </p>
      )}
      {!ready && failed === undefined && (
        <p class="wait" role="status">
          The other boot runs: {state.boot?.steps.length ?? 0} steps…
        </p>
      )}
      {ready && value === undefined && failed === undefined && (
        <p class="wait" role="status">
          Comparing the two boots…
        </p>
      )}
      {ready && value !== undefined && (
        <>
          <Fields title="Outcome" fields={value.traces?.outcome ?? []} />
          <Fields title="Reads" fields={value.traces?.consumed ?? []} />
          <Reports reports={value.traces?.reports ?? []} />
          <h3 id="differing-steps">
            {counted(value.traces?.steps.length ?? 0, 'step')} with other events
          </h3>
          {(value.traces?.steps ?? []).map((step, i) => (
            <Step
              step={step}
              open={i === 0}
              go={(at) => {
                setPlace({ at });
              }}
            />
          ))}
          <h3>
            Memory after <code>{value.at}</code>
          </h3>
          <p class="soft">
            {counted(value.memory.length + value.more, 'range')} of lines with other bytes in DRAM
            {value.more > 0 ? `, the first ${value.memory.length}` : ''}
          </p>
          <ul class="ranges mono" id="differing-memory">
            {value.memory.map(({ base, size, name }) => (
              <li>
                <RangeLink base={base} size={size} view={props} /> {sizeText(size)} {shown(name)}
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}
