/** The filter of events. */
import type { TraceEvent } from '../../trace/trace.js';
import { kindOf } from '../../trace/vocabulary.js';

/**
 * Whether an event has every word of a filter: `kind=encrypt` or `field=value` whole, any other word as its kind or a part
 * of a value, whatever its case. An empty filter has no words.
 */
export function matchesFilter(event: TraceEvent, filter: string): boolean {
  const words = filter
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  const kind = kindOf(event);
  const values = Object.entries({ ...event, kind }).map(
    ([name, value]) => [name.toLowerCase(), String(value).toLowerCase()] as const,
  );
  return words.every((word) => {
    const at = word.indexOf('=');
    if (at > 0) {
      const [name, value] = [word.slice(0, at), word.slice(at + 1)];
      return values.some(([key, text]) => key === name && text === value);
    }
    return values.some(([, text]) => text.includes(word));
  });
}
