/** The card of a patch: its record, what each hunk does and what breaks without it, effects, findings, links, commands. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { outcomeText } from '../analysis/matrix/words.js';
import type { Alternative, Hunk } from '../kernel/hunk.js';
import { readText } from '../node/files.js';
import { concerns, type Finding } from '../series/finding.js';
import { alternatives, hunksOf, patchOf } from '../series/patches.js';
import type { NamedChange, PatchRecord } from '../series/record.js';
import { hunksOfName } from '../series/record-hunks.js';
import { own } from '../base/own.js';
import { optional } from '../base/optional.js';
import { readYaml } from '../base/yaml-source.js';
import { statesOf } from './findings-table.js';
import { findings } from './findings.js';
import { linkOf, type LinkTemplates } from './links.js';
import { packageRoot } from './paths.js';
import { patchEffects, type PatchEffects } from './patch-effects.js';
import { patchRecords } from './records.js';

/** The release of the base kernel, and the first one that has the series. */
const BASE = 'v4.6';
const MERGED = 'v4.14';
/** Files that the series makes, by where they are in the first release that has it. */
const NEW_FILES: Readonly<Record<string, string>> = {
  'arch/x86/include/asm/mem_encrypt.h': 'arch/x86/include/asm/mem_encrypt.h',
  'arch/x86/kernel/mem_encrypt.S': 'arch/x86/mm/mem_encrypt_boot.S',
  'arch/x86/mm/mem_encrypt.c': 'arch/x86/mm/mem_encrypt.c',
};

/** A name of the kernel, and where it is on the web; without a link it was never in a release. */
interface LinkedName {
  readonly name: string;
  readonly link?: string;
}

/** The boot without a hunk. */
export interface Without {
  readonly scenario: string;
  /** How it ends. */
  readonly outcome: string;
  /** The first data that is read as other bytes than were written, which the whole series reads right. */
  readonly garbage: readonly string[];
  /** Which code wrote and read the first wrong bytes, or the first event that differs. */
  readonly cause: string;
  readonly command: string;
}

export interface HunkCard {
  readonly id: string;
  readonly file: string;
  readonly what: string;
  readonly names: readonly LinkedName[];
  readonly without?: Without;
}

/** A finding that concerns the patch. */
interface FindingLine extends Pick<Finding, 'id' | 'title'> {
  /** Its state by revision, v1 first. */
  readonly states: readonly string[];
}

export interface PatchCard {
  readonly record: PatchRecord;
  /** The posting that was read. */
  readonly posting?: string;
  readonly files: readonly (PatchRecord['files'][number] & { readonly link?: string })[];
  readonly hunks: readonly HunkCard[];
  readonly effects: readonly PatchEffects[];
  readonly findings: readonly FindingLine[];
  readonly alternatives: readonly Alternative[];
}

/** The parts of a row of the matrix that are used here; `sme-boot check` reads the rest. */
const rowSchema = z.looseObject({
  run: z.looseObject({ scenario: z.string(), stub: z.boolean().optional() }),
  outcome: z.looseObject({
    kind: z.enum(['booted', 'panic', 'triple-fault', 'hung']),
    where: z.string().optional(),
    message: z.string().optional(),
  }),
  consumed: z.record(z.string(), z.looseObject({ intact: z.boolean() })).optional(),
});

/** The boot without a hunk, from its row in traces/without/; undefined: there is none. */
function withoutHunk(id: string, root: string): Without | undefined {
  const file = `traces/without/${id.replace('/', '-')}.yaml`;
  if (!existsSync(join(root, file))) return undefined;
  const text = readText(join(root, file));
  const parsed = rowSchema.safeParse(readYaml(file, text).value);
  if (!parsed.success) return undefined;
  const { run, outcome, consumed = {} } = parsed.data;
  const { kind, where, message } = outcome;
  return {
    scenario: run.scenario,
    outcome: outcomeText({ kind, ...optional({ where, message }) }),
    garbage: Object.entries(consumed).flatMap(([name, { intact }]) => (intact ? [] : [name])),
    // `matrix --keep` writes the cause into the second line.
    cause: /^# (.*)\.$/.exec(text.split('\n')[1] ?? '')?.[1] ?? '',
    command: `sme-boot run ${run.scenario} --without ${id}${run.stub === true ? ' --stub' : ''}`,
  };
}

/** Where a name can be looked up: in the base kernel, or, if the series adds it, in the first release that has it. */
function linkOfName(
  entry: NamedChange,
  added: ReadonlySet<string>,
  templates: LinkTemplates,
): string | undefined {
  const { name, file, mainline = [] } = entry;
  // A label of assembly or an option of the command line is not in an index of names.
  if (entry.kind === 'label' || entry.kind === 'option') return undefined;
  if (!added.has(`${file} ${name}`)) {
    return linkOf(templates, 'ident', { function: name, file, release: BASE });
  }
  const [first] = mainline;
  if (first?.gone !== undefined) return undefined;
  return linkOf(templates, 'ident', {
    function: first?.name ?? name,
    file: first?.file ?? file,
    release: first === undefined ? MERGED : `v${first.from}`,
  });
}

/** Where a file can be read. */
export function linkOfFile(path: string, templates: LinkTemplates): string | undefined {
  const moved = own(NEW_FILES, path);
  const release = moved === undefined ? BASE : MERGED;
  return linkOf(templates, 'source', { file: moved ?? path, release });
}

function hunkCard(
  hunk: Hunk,
  record: PatchRecord,
  linkOfEntry: (entry: NamedChange) => string | undefined,
  root: string,
): HunkCard {
  const { id, file, what } = hunk;
  const entries = [...record.changes, ...record.adds].filter(
    (entry, i, all) =>
      hunksOfName(entry, [hunk]).length > 0 &&
      all.findIndex(({ name }) => name === entry.name) === i,
  );
  const names = entries.map((entry) => ({
    name: entry.name,
    ...optional({ link: linkOfEntry(entry) }),
  }));
  const without = withoutHunk(id, root);
  return { id, file, what, names, ...optional({ without }) };
}

/** What the cards of all patches are made from. */
interface Sources {
  readonly root: string;
  readonly templates: LinkTemplates;
  /** The names that the series adds, each as `FILE NAME`. */
  readonly added: ReadonlySet<string>;
  readonly findings: readonly Finding[];
}

/** The cards of the patches that `chosen` selects, in their order. */
export function patchCards(
  templates: LinkTemplates,
  chosen: (record: PatchRecord) => boolean = () => true,
  root = packageRoot(),
): PatchCard[] {
  const records = patchRecords(root);
  const added = new Set(
    records.flatMap(({ adds }) => adds.map(({ file, name }) => `${file} ${name}`)),
  );
  const sources = { root, templates, added, findings: findings(root) };
  return records.filter(chosen).map((record) => patchCard(record, sources));
}

function patchCard(record: PatchRecord, sources: Sources): PatchCard {
  const { root, templates, added } = sources;
  const { number, messageId, readInForm } = record;
  const id = messageId ?? readInForm;
  return {
    record,
    ...optional({
      posting: id === undefined ? id : linkOf(templates, 'lore', { messageId: id }),
    }),
    files: record.files.map((file) => ({
      ...file,
      ...optional({ link: linkOfFile(file.path, templates) }),
    })),
    hunks: hunksOf(number).map((hunk) =>
      hunkCard(hunk, record, (entry) => linkOfName(entry, added, templates), root),
    ),
    effects: patchEffects(number, root),
    findings: sources.findings
      .filter((finding) => concerns(finding, number))
      .map((finding) => ({ id: finding.id, title: finding.title, states: statesOf(finding) })),
    alternatives: alternatives().filter((alternative) => patchOf(alternative) === number),
  };
}
