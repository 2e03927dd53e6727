/** Compares a patch record with the mail of a posted patch. */
import type { OrderClaim } from '../series/record.js';
import type { Lookup } from './constant.js';
import { tokensIn, type DiffName } from './diff-names.js';
import { scanC } from './diff-names-c.js';
import { scanAssembly } from './diff-names-other.js';
import { languageOf } from './diff-names.js';
import type { DiffFile } from './diff-parse.js';
import { sideOf } from './diff-side.js';
import { compareStat } from './diff-stat.js';
import type { Row, SourceLine } from './result.js';
import type { PatchMail } from './series-mails.js';
import type { RecordFile } from './series-match.js';
import { compareNames, type Coverage } from './series-patch-names.js';

/** A row before its patch and places are completed. */
export type RowDraft = Pick<Row, 'about' | 'claim' | 'state' | 'expected' | 'found' | 'note'> & {
  /** The path of the claim in the record; absent: the record does not have it. */
  readonly key?: string;
  /** Index of the mail's line. */
  readonly at?: number;
};

/** A record beside a mail. */
export class PatchContext {
  readonly names: readonly DiffName[];
  readonly files: readonly DiffFile[];

  constructor(
    readonly record: RecordFile,
    readonly patch: PatchMail,
    /** The mail is of the posting that the record describes. */
    readonly recorded: boolean,
    readonly lookup: Lookup,
  ) {
    this.names = patch.names;
    this.files = patch.diff.files;
  }

  row({ key = '', at, ...draft }: RowDraft): Row {
    const { record, file } = this.record;
    return {
      ...draft,
      patch: record.number,
      record: { file, path: key },
      source: mailPlace(this.patch, at),
    };
  }
}

/** The place of a mail, or of one of its lines, if the file has that line as it is. */
export function mailPlace({ mail }: PatchMail, at?: number): SourceLine {
  const line = at === undefined || mail.firstLine === undefined ? mail.line : mail.firstLine + at;
  return { file: mail.file, line };
}

/** That the record was read in another posting than the one it describes, if it was. */
export function readInNote({ record: { messageId, readInForm } }: RecordFile): string | undefined {
  if (readInForm === undefined) return undefined;
  const form = messageId === null ? 'in the v2 form' : 'in another sending';
  return `record read ${form}, Message-ID ${readInForm}`;
}

function headers(context: PatchContext): Row[] {
  const { record } = context.record;
  const { subject, messageId } = context.patch.mail;
  const same = subject.title === record.subject;
  const rows = [
    context.row({
      about: 'mail',
      claim: `subject "${record.subject}"`,
      state: same ? 'agrees' : 'differs',
      key: 'subject',
      ...(!same && { expected: record.subject, found: subject.title }),
    }),
  ];
  if (!context.recorded) return rows;
  const id = { about: 'mail' as const, key: 'messageId' };
  if (record.messageId === null || messageId === record.readInForm) {
    const claim = `Message-ID ${record.messageId ?? 'not known'}`;
    const note = readInNote(context.record) ?? 'the record has no Message-ID';
    rows.push(context.row({ ...id, claim, state: 'not checked', note }));
  } else if (messageId === undefined) {
    const note = 'the mail has no Message-ID';
    const claim = `Message-ID ${record.messageId}`;
    rows.push(context.row({ ...id, claim, state: 'not checked', note }));
  } else {
    const agrees = messageId === record.messageId;
    rows.push(
      context.row({
        ...id,
        claim: `Message-ID ${record.messageId}`,
        state: agrees ? 'agrees' : 'differs',
        ...(!agrees && { expected: record.messageId, found: messageId }),
      }),
    );
  }
  return rows;
}

const counts = ({ added, removed }: { added: number; removed: number }): string =>
  `+${added} -${removed}`;

function files(context: PatchContext): Row[] {
  const { record } = context.record;
  const rows = record.files.map((file, i): Row => {
    const found = context.files.find(({ path }) => path === file.path);
    // Another revision has other lines: its files are compared, not their lengths.
    const same =
      found !== undefined &&
      (!context.recorded || (found.added === file.added && found.removed === file.removed));
    return context.row({
      about: 'file',
      claim: context.recorded ? `${file.path} ${counts(file)}` : file.path,
      state: found === undefined ? 'missing' : same ? 'agrees' : 'differs',
      key: `files.${i}`,
      ...(found !== undefined && { at: found.at }),
      ...(found !== undefined && !same && { expected: counts(file), found: counts(found) }),
    });
  });
  const known = new Set(record.files.map(({ path }) => path));
  const seen = new Set<string>();
  for (const file of context.files) {
    const more = (claim: string): void => {
      rows.push(context.row({ about: 'file', claim, state: 'not recorded', at: file.at }));
    };
    if (!known.has(file.path)) more(`${file.how} ${file.path} ${counts(file)}`);
    if (seen.has(file.path)) more(`${file.path} a second time`);
    if (file.mode !== undefined) more(`mode ${file.mode} of ${file.path}`);
    if (file.binary) more(`a binary change of ${file.path}`);
    if (file.oldPath !== undefined) more(`${file.path} ${file.how} from ${file.oldPath}`);
    seen.add(file.path);
  }
  return rows;
}

/** Where the mail is no correct patch. */
function integrity(context: PatchContext): Row[] {
  const { mail, diff } = context.patch;
  return [
    ...diff.problems.map(({ at, reason }) =>
      context.row({
        about: 'mail',
        claim: 'a correct diff',
        state: 'differs',
        at,
        found: reason,
      }),
    ),
    ...compareStat(mail.lines, diff).map(({ at, what, expected, found }) =>
      context.row({
        about: 'mail',
        claim: `diffstat of ${what}`,
        state: 'differs',
        at,
        expected,
        found,
      }),
    ),
    ...mail.notes.map((note) =>
      context.row({ about: 'mail', claim: 'the whole mail', state: 'not checked', note }),
    ),
  ];
}

/** The tokens of a function's lines that a diff shows, after the patch. */
function bodyTokens(file: DiffFile, name: string): string[] {
  const language = languageOf(file.path);
  return file.hunks.flatMap((hunk) => {
    const lines = sideOf(hunk, 'new');
    const scan =
      language === 'assembly' ? scanAssembly(lines, hunk.heading) : scanC(lines, hunk.heading);
    return lines.flatMap(({ code }, i) =>
      scan.within[i]?.name === name ? tokensIn(code).map((each) => each.replace(/^[%$]/, '')) : [],
    );
  });
}

function order(context: PatchContext, claim: OrderClaim, index: number): Row {
  const file = context.files.find(({ path }) => path === claim.file);
  const tokens = file === undefined ? [] : bodyTokens(file, claim.in);
  const plain = (name: string): string => name.replace(/^[%$]/, '');
  const [first, then] = [tokens.indexOf(plain(claim.first)), tokens.indexOf(plain(claim.then))];
  const row = {
    about: 'order' as const,
    claim: `${claim.in}: ${claim.first} before ${claim.then}`,
    key: `order.${index}`,
  };
  if (first < 0 || then < 0) {
    const absent = [first < 0 ? claim.first : '', then < 0 ? claim.then : ''].filter(Boolean);
    return context.row({
      ...row,
      state: 'not checked',
      note: `the diff's lines of ${claim.in} do not have ${absent.join(' and ')}`,
    });
  }
  return context.row({
    ...row,
    state: first < then ? 'agrees' : 'differs',
    ...(first >= then && { found: `${claim.then} before ${claim.first}` }),
  });
}

/** The words of a diff's lines after the patch, added ones or all. */
const wordsOf = (files: readonly DiffFile[], all: boolean): Set<string> =>
  new Set(
    files.flatMap(({ hunks }) =>
      hunks.flatMap((hunk) =>
        sideOf(hunk, 'new', 'c', true).flatMap(({ code, changed }) =>
          changed || all ? tokensIn(code).map((each) => each.replace(/^[%$]/, '')) : [],
        ),
      ),
    ),
  );

/** The names of earlier patches that a record says it uses. A patch may need one without naming it. */
function needs(context: PatchContext): Row[] {
  const added = wordsOf(context.files, false);
  const all = wordsOf(context.files, true);
  return context.record.record.needs.map(({ name, from }, i) => {
    const word = name.slice(name.lastIndexOf('.') + 1);
    const named = all.has(word);
    return context.row({
      about: 'name',
      claim: `needs ${name} of patch ${String(from).padStart(2, '0')}`,
      state: named ? 'agrees' : 'not checked',
      key: `needs.${i}`,
      ...(!added.has(word) && { note: named ? 'in a context line' : 'the diff does not name it' }),
    });
  });
}

/** All rows for a record and its mail, and how much of the diff the record covers. */
export function comparePatch(context: PatchContext): { rows: Row[]; coverage: Coverage } {
  const { record } = context.record;
  if (context.patch.diff.files.length === 0) {
    const rows = [
      ...headers(context),
      context.row({ about: 'mail', claim: 'a diff', state: 'missing' }),
      ...integrity(context),
    ];
    return { rows, coverage: { modelled: 0, notModelled: 0, unrecorded: 0 } };
  }
  const names = compareNames(context);
  return {
    rows: [
      ...headers(context),
      ...integrity(context),
      ...files(context),
      ...names.rows,
      ...(record.order ?? []).map((claim, i) => order(context, claim, i)),
      ...needs(context),
    ],
    coverage: names.coverage,
  };
}
