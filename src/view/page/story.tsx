/** What a step did, in lines. */
import type { Frame } from '../messages.js';
import type { TraceEvent } from '../../trace/trace.js';
import { counted, shown } from './format.js';

/** The lines for an event: those that a reader of the boot wants first. */
function lineOf(event: TraceEvent): { text: string; tone: string } | undefined {
  const say = (text: string, tone = ''): { text: string; tone: string } => ({
    text: shown(text),
    tone,
  });
  if ('encrypt' in event) return say(`encrypted in place: ${shown(event.encrypt)}`, 'cipher');
  if ('decrypt' in event) return say(`decrypted in place: ${shown(event.decrypt)}`, 'plain');
  if ('console' in event) return say(shown(event.console), 'console');
  if ('panic' in event) return say(`panic: ${shown(event.panic)}`, 'bad');
  if ('fault' in event) return say(`fault: ${shown(event.fault)} (${shown(event.why)})`, 'bad');
  if (event.wrmsr === 'SYSCFG') return say(`SYSCFG := ${shown(event.value)}`, 'cipher');
  if (event.cr === 'CR3') return say(`CR3 := ${shown(event.table)}, C=${shown(event.C)}`);
  return undefined;
}

export function Story({ frame }: { frame: Frame }) {
  const { label, what, events, reports } = frame;
  const lines = events.flatMap((event) => lineOf(event) ?? []);
  const own = new Map<string, number>();
  for (const { step, rule, what: wrong } of reports ?? []) {
    if (step !== label) continue;
    const text = `${rule}: ${shown(wrong)}`;
    own.set(text, (own.get(text) ?? 0) + 1);
  }
  return (
    <section class="story" aria-live="polite">
      <h2>
        <code>{label}</code>
      </h2>
      <p>
        {what}. <span class="soft">{counted(events.length, 'event')}</span>
      </p>
      <ul>
        {lines.slice(0, 12).map(({ text, tone }) => (
          <li class={tone}>{text}</li>
        ))}
        {lines.length > 12 && <li class="soft">{lines.length - 12} more: see Events</li>}
        {[...own].map(([text, n]) => (
          <li class="bad">
            {text}
            {n > 1 && <span class="soft"> × {n}</span>}
          </li>
        ))}
      </ul>
    </section>
  );
}
