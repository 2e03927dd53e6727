/** Where the code of a report is: in the patch records, and in a kernel source tree. */
import type { SarifLine } from '../base/sarif.js';
import type { Code, ReportPlaces } from '../check/report-words.js';
import { cParser } from '../node/c-parser.js';
import { SourceTree } from '../node/source-tree.js';
import { placesIn } from '../review/place.js';
import { BASE_FILE, functionOf } from '../review/tree-model.js';
import { hunksOfName } from '../series/record-hunks.js';
import { allHunks } from '../series/patches.js';
import type { SanitizerReport } from '../trace/report.js';
import { reviewedRecords, type RecordSource, type ReviewedRecords } from './records.js';

/** The line of the entry of a record that a hunk models: that of the function first; undefined if none has the hunk. */
function entryLine({ record, yaml }: RecordSource, code: Code): number | undefined {
  const hunks = allHunks();
  const entries = (['adds', 'changes'] as const).flatMap((key) =>
    record[key].flatMap((entry, index) =>
      hunksOfName(entry, hunks).some(({ id }) => id === code.hunk)
        ? [{ name: entry.name, line: yaml.place([key, index, 'name']).line }]
        : [],
    ),
  );
  const name = functionOf(code.in);
  const [first] = entries;
  return (entries.find((each) => each.name === name) ?? first)?.line;
}

/** The place of code in the patch records; undefined for the base kernel, firmware and devices. */
function patchLine(
  code: Code | undefined,
  patches: readonly RecordSource[],
): SarifLine | undefined {
  const number = code?.patch ?? Number(code?.hunk?.split('/')[0]);
  const source = patches.find(({ record }) => record.number === number);
  if (code === undefined || source === undefined) return undefined;
  // A hunk without an entry is shown at the list of the names that the patch adds.
  const line = code.hunk === undefined ? 1 : (entryLine(source, code) ?? 1);
  return { file: source.file, line };
}

/** The place of a function in the record of the base kernel; undefined if it is not listed there. */
function baseLine(code: Code, { base: { record, yaml } }: ReviewedRecords): SarifLine | undefined {
  const name = functionOf(code.in);
  const index = record.names.findIndex((each) => each.name === name);
  const line = index < 0 ? undefined : yaml.place(['names', index, 'name']).line;
  return line === undefined ? undefined : { file: BASE_FILE, line };
}

/**
 * The places of reports. The record's line is that of the access's hunk, else that of the hunk of the earlier event, else of
 * the function in the record of the base kernel, else `otherwise`. `folder`: a kernel source tree. Throws E_TREE, E_READ.
 */
export async function reportPlaces(
  folder: string | undefined,
  otherwise: string,
): Promise<ReportPlaces> {
  const records = reviewedRecords();
  const tree = folder === undefined ? undefined : new SourceTree(folder, await cParser());
  return {
    recordLine: (report: SanitizerReport) =>
      patchLine(report, records.patches) ??
      patchLine(report.earlier, records.patches) ??
      baseLine(report, records) ?? { file: otherwise },
    kernelLine: (code: Code) => (tree === undefined ? undefined : treeLine(code, tree, records)),
  };
}

/** The definition of a function in a tree: at its posted place, or at its later one. */
function treeLine(code: Code, tree: SourceTree, records: ReviewedRecords): SarifLine | undefined {
  if (code.file === undefined) return undefined;
  const name = functionOf(code.in);
  const posted = records.patches
    .flatMap(({ record }) => [...record.adds, ...record.changes])
    .find((entry) => entry.name === name && entry.file === code.file);
  const places = placesIn(posted ?? { name, file: code.file }, tree.release, records.base.record);
  for (const place of [...places, { name, file: code.file }]) {
    const found = tree
      .index(place.file)
      ?.all(place.name)
      .find(({ kind }) => kind !== 'declaration');
    if (found !== undefined) return { file: place.file, line: found.line };
  }
  return undefined;
}
