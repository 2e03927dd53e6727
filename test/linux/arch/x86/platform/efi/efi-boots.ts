/** Boots on EFI firmware that tests of several files look at. */
import type { Boot } from '../../../../../../src/sequencer/boot.js';
import type { Scenario } from '../../../../../../src/scenario/scenario.js';
import type { TraceStep } from '../../../../../../src/trace/trace.js';
import { boot, scenario } from '../../../../../helpers.js';

/** A small machine without a device tree, whose chain would lead a kernel without patch 10 astray. */
export function efiScenario(...settings: string[]): Scenario {
  return scenario(
    'epyc-efi',
    'machine.ram=256MiB',
    'loader.deviceTree=false',
    'guest=false',
    ...settings,
  );
}

const kept = new Map<string, Boot>();

/** A boot that has run to a label; who asks for the same again gets the same boot. */
export function efiBoot(
  label: string,
  stage: number,
  activate = false,
  ...settings: string[]
): Boot {
  const key = [label, stage, activate, ...settings].join(' ');
  const known = kept.get(key);
  if (known !== undefined) return known;
  const fresh = freshEfiBoot(stage, activate, ...settings);
  fresh.runTo(label);
  kept.set(key, fresh);
  return fresh;
}

/** A boot that nobody else has. */
export function freshEfiBoot(stage: number, activate = false, ...settings: string[]): Boot {
  return boot({ scenario: efiScenario(...settings), stage, activate });
}

/** Whether a thing's last consumer got what was produced, up to now; undefined where nobody consumed it. */
export function intactSoFar(subject: Boot, name: string): boolean | undefined {
  const { consumed } = subject.recorder.snapshot().integrity;
  return consumed.filter((each) => each.name === name).at(-1)?.intact;
}

/** What the kernel has printed up to now. */
export function printed(subject: Boot): string[] {
  return subject.recorder
    .snapshot()
    .steps.flatMap(({ events }: TraceStep) => events)
    .flatMap((event) => ('console' in event ? [String(event.console)] : []));
}
