/** The names of those who wrote memory. */
import type { Recorder } from '../trace/recorder.js';

/** The writer of lines that no modelled function wrote. */
const UNNAMED = 'firmware, loader or hardware';

/** What gives the names of origins: a boot. */
export interface Named {
  readonly recorder: Pick<Recorder, 'nameOf'>;
}

/** The function or device that an access was attributed to. */
export function writerName({ recorder }: Named, origin: number): string {
  const name = recorder.nameOf(origin) ?? '';
  return name === '' ? UNNAMED : name;
}
