/** `--snapshot` and `--from` of `run --execute`: ends a boot in a file, and goes on from it. */
import { InputError } from '../base/errors.js';
import { readSnapshot, writeSnapshot, type SnapshotOf } from '../node/boot-snapshot.js';
import { VERSION } from '../base/version.js';
import type { ExecutedBoot } from '../sequencer/executed-boot.js';
import type { TraceHeader } from '../trace/trace.js';
import type { Execution } from './execute-options.js';

export interface SnapshotFlags {
  snapshot?: string;
  from?: string;
}

/** Ends after which a boot can go on. */
const GOES_ON: readonly string[] = ['stopped', 'limit', 'interrupted'];

/** Throws E_USAGE where a trace would begin in the middle of a boot. */
export function checkSnapshots({ from }: SnapshotFlags, needsTrace: boolean): void {
  if (from === undefined || !needsTrace) return;
  throw new InputError({
    code: 'E_USAGE',
    place: { path: 'run' },
    reason: 'a trace is of a boot from its beginning, so it cannot be made with --from',
    expected: 'the trace, or --expect event={…}, without --from',
    found: '--from',
  });
}

/** Goes on from the file of `--from`. Throws E_READ and E_BOOT_SNAPSHOT. */
export function restoreFrom({ from }: SnapshotFlags, { boot, header }: Execution): void {
  if (from === undefined) return;
  try {
    boot.restore(readSnapshot(from, belongsTo(boot, header)));
  } catch (error) {
    if (error instanceof InputError) throw error;
    // The digest is right, so the file was not damaged: another program wrote it.
    throw new InputError({
      code: 'E_BOOT_SNAPSHOT',
      place: { file: from },
      reason: 'it has no state of a boot',
      expected: 'a file of --snapshot',
      cause: error,
    });
  }
}

/** Writes the file of `--snapshot`. Returns a line about it. Throws E_WRITE. */
export function saveSnapshot({ snapshot }: SnapshotFlags, { boot, header }: Execution): string {
  if (snapshot === undefined) return '';
  const kind = boot.outcome?.kind ?? '';
  if (!GOES_ON.includes(kind)) {
    return `no snapshot is written: after ${kind} the boot does not go on\n`;
  }
  const { instructions } = boot.executor;
  const state = { ...boot.snapshot(), outcome: null, ended: null };
  writeSnapshot(snapshot, belongsTo(boot, header), instructions, state);
  return `snapshot: ${snapshot}; --from goes on from it\n`;
}

/** What the state of a boot depends on. */
function belongsTo({ sanitizer }: ExecutedBoot, header: TraceHeader): SnapshotOf {
  const { scenario, scenarioDigest, settings, image, files } = header;
  return {
    'version of sme-boot': VERSION,
    scenario,
    'choice of --set or --cmdline': settings,
    'scenario file': scenarioDigest,
    image: image.digest,
    'choice of --entry': header.entry ?? 'kernel',
    initrd: files?.initrd?.digest ?? 'built-in',
    'device tree': files?.dtb?.digest ?? 'none',
    'choice of --sanitize': sanitizer !== null,
  };
}
