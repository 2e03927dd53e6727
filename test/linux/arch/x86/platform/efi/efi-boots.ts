/** Boots on EFI firmware that several test files share. */
import type { Boot } from '../../../../../../src/sequencer/boot.js';
import type { Scenario } from '../../../../../../src/scenario/scenario.js';
import type { TraceStep } from '../../../../../../src/trace/trace.js';
import { boot, scenario } from '../../../../../helpers.js';

/** A small machine without a device tree: its setup_data would be misread by an encrypting kernel without patch 10. */
export function efiScenario(...settings: string[]): Scenario {
  return scenario(
    'epyc-efi',
    'machine.ram=256MiB',
    'loader.deviceTree=false',
    'guest=false',
    ...settings,
  );
}

const boots = new Map<string, Boot>();

/** A boot that has run to a label; calls with the same arguments share one boot. */
export function efiBoot(
  label: string,
  stage: number,
  activate = false,
  ...settings: string[]
): Boot {
  const key = [label, stage, activate, ...settings].join(' ');
  const shared = boots.get(key);
  if (shared !== undefined) return shared;
  const fresh = freshEfiBoot(stage, activate, ...settings);
  fresh.runTo(label);
  boots.set(key, fresh);
  return fresh;
}

/** A new boot, which is not shared. */
export function freshEfiBoot(stage: number, activate = false, ...settings: string[]): Boot {
  return boot({ scenario: efiScenario(...settings), stage, activate });
}

/** Whether the latest read of blob `name` returned what was written; undefined if it has not been read yet. */
export function intactSoFar(subject: Boot, name: string): boolean | undefined {
  const { consumed } = subject.recorder.snapshot().integrity;
  return consumed.filter((each) => each.name === name).at(-1)?.intact;
}

/** Lines that the kernel has printed so far. */
export function printed(subject: Boot): string[] {
  return subject.recorder
    .snapshot()
    .steps.flatMap(({ events }: TraceStep) => events)
    .flatMap((event) => ('console' in event ? [String(event.console)] : []));
}
