/** `sme-boot findings`: the defects of the posted series, what later revisions made of them, and how each is shown. */
import { join } from 'node:path';
import type { ChalkInstance } from 'chalk';
import { Command } from 'commander';
import { InputError } from '../base/errors.js';
import { suggest } from '../base/suggest.js';
import { readYaml } from '../base/yaml-source.js';
import { readText } from '../node/files.js';
import type { Alternative } from '../kernel/hunk.js';
import {
  concerns,
  parseFinding,
  LATER,
  REVISIONS,
  type Finding,
  type Reported,
} from '../series/finding.js';
import { alternatives, LAST_STAGE } from '../series/patches.js';
import { table } from './columns.js';
import { exitHelp } from './exit-codes.js';
import { fitted } from './fit.js';
import { markdownTable, patchText, REVISION_HEADS, statesOf } from './findings-table.js';
import { HELP_COLUMNS } from './help-text.js';
import type { Io } from './io.js';
import { numberOf } from './numbers.js';
import { addOutput, formOf, openResult, type OutputFlags } from './output.js';
import { packageRoot } from './paths.js';
import { refuseUnused } from './usage.js';
import { yamlNames } from './yaml-files.js';

const FORMS = ['text', 'json', 'markdown'] as const;

interface Flags extends OutputFlags<(typeof FORMS)[number]> {
  patch?: number;
}

/** All findings of the package, in the order of the boot. */
export function findings(root = packageRoot()): Finding[] {
  return yamlNames(join(root, 'findings')).map((name) => {
    const file = `findings/${name}.yaml`;
    return parseFinding(file, readYaml(file, readText(join(root, file))).value);
  });
}

const alternativeOf = (id: string): Alternative | undefined =>
  alternatives().find((each) => each.id === id);

/** A finding with what the alternatives' own list has of its fixes. */
function asData(finding: Finding): object {
  const fixes = finding.fixes.map((fix) => {
    const { what, source } = alternativeOf(fix.id) ?? {};
    return { ...fix, what, source };
  });
  return { ...finding, fixes };
}

/** A title without Markdown. */
const plain = (title: string): string => title.replaceAll('`', '');

/** The list on a terminal: a line of states and a title each. */
function listText(all: readonly Finding[], paint: ChalkInstance): string {
  const rows = [
    ['finding', 'patch', ...REVISION_HEADS],
    ...all.map((finding) => [finding.id, patchText(finding.patch), ...statesOf(finding)]),
  ];
  const [head = '', ...lines] = table(rows).trimEnd().split('\n');
  const entries = all.flatMap(({ id, title, fixes }, i) => [
    (lines[i] ?? '').replace(id, paint.cyan(id)),
    `  ${plain(title)}`,
    ...(fixes.length > 0 ? [`  --with ${fixes.map((fix) => fix.id).join(', ')}`] : []),
  ]);
  const legend = [
    '',
    ...Object.entries(REVISIONS).map(([name, what]) => `${name}: ${what}`),
    '?: inferred; "sme-boot findings FINDING" says from what',
  ];
  return [paint.bold(head), ...entries, ...legend, ''].join('\n');
}

/** The lines of a command, indented. */
const commandLines = (command: string): string[] => command.split('\n').map((each) => `  ${each}`);

/** The report of the sanitizer that shows a finding. */
function reportLines({ run, rule, in: by, earlier, goneWith }: Reported): string[] {
  const cause = earlier === undefined ? '' : `, after ${earlier}`;
  return [
    '',
    `  sme-boot run ${run}`,
    `    reports ${rule} in ${by}${cause}`,
    ...(goneWith === undefined ? [] : [`    not with --with ${goneWith.join(' ')}`]),
  ];
}

/** One finding on a terminal. */
function cardText(finding: Finding, columns: number, paint: ChalkInstance): string {
  const { id, title, patch, related = [], hunks, where, about, revisions, fixes, shows } = finding;
  const { tests = [], reports = [], unreported } = finding;
  const code =
    patch === undefined ? 'code that no patch of the series changes' : `patch ${patchText(patch)}`;
  const states = [
    ['v1', 'present', patch === undefined ? 'as in 4.6: not changed' : 'as posted'],
    ...Object.keys(LATER).map((name, i) => {
      const { source, note } = Object.values(revisions)[i] ?? { source: '', note: '' };
      return [name, statesOf(finding)[i + 1] ?? '', `${source}: ${note}`];
    }),
  ];
  const lines = [
    `${paint.bold(id)}: ${plain(title)}`,
    `  in ${code}${hunks.length > 0 ? `: ${hunks.join(' ')}` : ''}`,
    ...(related.length > 0 ? [`  see also patch ${related.map(patchText).join(', ')}`] : []),
    ...where.map(({ file, names }) => `  ${file}: ${names.join(', ')}`),
    '',
    fitted(about, columns, 0),
    '',
    ...table(states, columns).trimEnd().split('\n'),
    ...fixes.flatMap((fix) => [
      '',
      `${paint.cyan(`--with ${fix.id}`)}: ${fix.result}`,
      `  source: ${alternativeOf(fix.id)?.source ?? 'not an alternative of this version'}`,
      ...(fix.command === undefined ? [] : commandLines(fix.command)),
    ]),
    ...shows.flatMap(({ command, sees }) => ['', ...commandLines(command), `    ${sees}`]),
    ...reports.flatMap((report) => reportLines(report)),
    ...(unreported === undefined ? [] : ['', `not reported by the sanitizer: ${unreported}`]),
    ...tests.flatMap((test) => ['', `  shown by ${test} of the repository`]),
    '',
  ];
  return `${lines.join('\n')}\n`;
}

/** One finding as Markdown. */
function cardMarkdown(finding: Finding): string {
  const { id, about, shows, fixes } = finding;
  const block = (commands: readonly string[]): string =>
    commands.length === 0 ? '' : `\n\`\`\`sh\n${commands.join('\n')}\n\`\`\`\n`;
  const commands = [...shows, ...fixes].flatMap(({ command }) => command ?? []);
  return `## ${id}\n\n${markdownTable([finding])}\n${about}\n${block(commands)}`;
}

/** The finding of an id. Throws E_FINDING_UNKNOWN. */
function named(all: readonly Finding[], id: string): Finding {
  const found = all.find((each) => each.id === id);
  if (found !== undefined) return found;
  const names = all.map((each) => each.id);
  throw new InputError({
    code: 'E_FINDING_UNKNOWN',
    expected: 'a name that "sme-boot findings" prints',
    found: JSON.stringify(id),
    ...suggest(id, names),
  });
}

export function findingsCommand(io: Io): Command {
  const command = new Command('findings')
    .description(
      'list the defects of the posted series: what later revisions have of them, and the commands that show one',
    )
    .argument('[FINDING]', 'the finding to describe (default: a table of all)')
    .option(
      '--patch <N>',
      'only findings that concern this patch',
      numberOf('E_PATCH', '--patch', 1, LAST_STAGE),
    )
    .addHelpText(
      'after',
      `
Examples:
  sme-boot findings
  sme-boot findings --patch 9
  sme-boot findings clear-mapping-tlb
  sme-boot findings --format markdown
${exitHelp()}`,
    )
    .action((id: string | undefined, flags: Flags, self: Command) => {
      if (id !== undefined) {
        refuseUnused(self, ['--format', '--output'], `"findings ${id}" is one finding`);
      }
      const all = findings();
      const found = id === undefined ? all : [named(all, id)];
      const { patch } = flags;
      const chosen = found.filter((each) => patch === undefined || concerns(each, patch));
      const out = openResult(io, flags.output);
      const form = formOf(flags, FORMS);
      const [one] = chosen;
      if (form === 'json') out.write(`${JSON.stringify(chosen.map(asData), null, 2)}\n`);
      else if (form === 'markdown') {
        out.write(
          id === undefined || one === undefined ? markdownTable(chosen) : cardMarkdown(one),
        );
      } else if (id !== undefined && one !== undefined) {
        // It is mostly prose: in a pipe or file it has lines, too.
        const columns = out.columns ?? HELP_COLUMNS;
        out.write(fitted(cardText(one, columns, out.paint), columns));
      } else if (one === undefined) out.print(`no finding concerns patch ${String(patch)}\n`);
      else out.print(listText(chosen, out.paint));
      out.end();
    });
  return addOutput(command, { formats: FORMS });
}
