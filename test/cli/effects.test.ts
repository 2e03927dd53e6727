import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { GOLDEN_EFFECTS } from '../../src/cli/golden.js';
import { effectsOf } from '../../src/analysis/effects/form.js';
import { effectsOn } from '../../src/analysis/effects/plan.js';
import { effectsDifferences } from '../../src/analysis/effects/text.js';
import { hunksOf } from '../../src/series/patches.js';
import type { HunkSelection } from '../../src/series/compose.js';
import type { Trace } from '../../src/trace/trace.js';
import { readYaml } from '../../src/base/yaml-source.js';
import { exhaustiveTest } from '../cases.js';
import { boot, scenario } from '../helpers.js';
import { sme } from './io.js';

describe('sme-boot effects', () => {
  exhaustiveTest(
    'prints what a patch changes in each view, with the command for the full difference',
    async () => {
      const { status, out } = await sme(['effects', '12']);
      expect(status).toBe(0);
      expect(out).toMatch(
        /^12 x86: Access device tree in the clear, on epyc-efi\n {2}stage: stage 11 → /,
      );
      expect(out).toContain('device tree, read by x86_flattree_get_config: garbage → intact\n');
      expect(out).toContain('read now, intact: device tree\n');
      expect(out).toContain(
        "sme-boot diff 'epyc-efi --stage 11 --activate' 'epyc-efi --stage 12 --",
      );
      expect(out).toContain(
        "sme-boot diff 'epyc-efi --stage 18 --without 12' 'epyc-efi --stage 18'",
      );
    },
  );

  exhaustiveTest(
    'accepts one view, another scenario and several patches, and shows progress',
    async () => {
      const args = ['effects', 'bios-minimal', '1', '4', '--view', 'stage'];
      let now = 0;
      const clock = { now: () => (now += 1000) };
      const { out, err } = await sme(args, { COLUMNS: '200' }, true, clock);
      expect(out).toMatch(/^01 .*, on bios-minimal\n {2}stage: .*\n {4}mtrr_bp_init: 2 changed\n/);
      expect(out).toMatch(/\n04 .*, on bios-minimal\n/);
      expect(out).not.toContain('without:');
      expect(err).toContain('[2/2] patch 4 on bios-minimal');
    },
  );

  exhaustiveTest('prints data as JSON, and the golden file as YAML', async () => {
    const json = await sme([
      'effects',
      '5',
      '--view',
      'stage',
      '--scenario',
      'bios-minimal',
      '--format',
      'json',
    ]);
    expect(JSON.parse(json.out)).toMatchObject([
      { expect: 'effects', patch: 5, views: { stage: { steps: [{ label: 'early_cpu_init' }] } } },
    ]);
    const yaml = await sme(['effects', '17', '--format', 'yaml']);
    const [modeline, ...rest] = readFileSync('traces/effects/17.yaml', 'utf8').split('\n');
    // Only in a file does the path of a schema lead anywhere.
    expect(modeline).toMatch(/^# yaml-language-server: /);
    expect(yaml.out).toBe(rest.join('\n'));
  });

  test.each([
    [['19'], /E_PATCH: effects: expected a plain number from 1 to 18, found "19"/],
    [['1', '--view', 'sideways'], /E_VIEW: --view: expected stage, activated, without, probes/],
    [['1', '--scenario', 'nowhere'], /E_SCENARIO_UNKNOWN/],
  ])('%j is refused', async (args, message) => {
    const { status, err } = await sme(['effects', ...args]);
    expect(status).toBe(2);
    expect(err).toMatch(message);
  });
});

describe('the golden effects', () => {
  test('exist for each patch, and no others', () => {
    const files = readdirSync('traces/effects').map((name) => `effects/${name}`);
    expect(files.sort()).toEqual(GOLDEN_EFFECTS.map(({ file }) => file).sort());
    expect(new Set(GOLDEN_EFFECTS.map(({ patch }) => patch)).size).toBe(18);
  });

  test.each(GOLDEN_EFFECTS.map(({ file, patch, scenario: name }) => [file, patch, name] as const))(
    '%s has its patch and scenario',
    (file, patch, name) => {
      expect(existsSync(`traces/${file}`)).toBe(true);
      const source = readYaml(file, readFileSync(`traces/${file}`, 'utf8'));
      expect(effectsOf(source)).toMatchObject({ patch, scenario: name });
    },
  );

  exhaustiveTest('of patch 16 fail if its module does nothing', () => {
    const file = 'traces/effects/16.yaml';
    const expected = effectsOf(readYaml(file, readFileSync(file, 'utf8')));
    const ids = hunksOf(16).map(({ id }) => id);
    /** Every kernel that has the patch, without the effect of its module. */
    const traceOf = (selection: HunkSelection): Trace => {
      const { stage, without = [] } = selection;
      const edited = stage < 16 || without.length > 0 ? without : ids;
      return boot({
        ...selection,
        scenario: scenario('epyc-efi'),
        without: edited,
        sanitize: true,
      }).run();
    };
    const lines = effectsDifferences(expected, effectsOn(16, 'epyc-efi', { traceOf }));
    expect(lines).toContain('activated.screen: expected 24, found (none)');
    expect(lines).toContain(
      'without.consumed.console by the screen.after: expected intact, found (none)',
    );
    expect(lines.at(-1)).toBe('the patch shows in no view now');
  });

  test('of patch 16 hold for its module unchanged', () => {
    const file = 'traces/effects/16.yaml';
    const expected = effectsOf(readYaml(file, readFileSync(file, 'utf8')));
    const traceOf = (selection: HunkSelection): Trace =>
      boot({ ...selection, scenario: scenario('epyc-efi'), sanitize: true }).run();
    const { views } = effectsOn(16, 'epyc-efi', { traceOf }, { views: ['activated'] });
    expect(views.activated).toEqual(expected.views.activated);
  });
});
