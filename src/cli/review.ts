/** `sme-boot review`: the patch records against a kernel source tree, or a posted series. */
import { Command } from 'commander';
import { InputError } from '../base/errors.js';
import { EXIT_MEANINGS, exitHelp } from './exit-codes.js';
import type { Io } from './io.js';
import { addOutput, checkOutput, formOf, type OutputFlags } from './output.js';
import { reviewedRecords } from './records.js';
import { mailReview } from './review-mbox.js';
import { REVIEW_FORMS, type ReviewForm, writeReview } from './review-out.js';
import { treeReview, writeFiles } from './review-tree.js';
import { refuseUnused } from './usage.js';

interface Flags extends OutputFlags<ReviewForm> {
  tree?: string;
  trace?: string;
  mbox?: string;
  all?: boolean;
  files?: string;
}

const EXAMPLES = `
A claim of a record (a name, its value, an order within a function) is looked for where the
record has it in the release of the tree. States: agrees; moved (found under its recorded
later name or file); gone (as recorded); later (not in this release); differs; missing.
With --mbox, each is looked for in the diff of the patch's mail, and each name of the diff in
the record: not recorded, if it is not there.

Examples:
  sme-boot review --tree linux-6.1
  sme-boot review --tree linux-4.6.5 --all
  sme-boot review --tree linux-6.1 --format sarif --output review.sarif
  sme-boot review --tree linux-6.1 --output review.html
  sme-boot review --mbox series.mbox           a posted series, as b4 writes it
  sme-boot review --files 6.1                  for a sparse checkout
  sme-boot review --tree linux-6.1 --trace boot.yaml   the functions of a trace, by file and line
${exitHelp({ mismatch: EXIT_MEANINGS.mismatch })}`;

async function review(flags: Flags, command: Command, io: Io): Promise<void> {
  const form = formOf(flags, REVIEW_FORMS);
  checkOutput(flags.output);
  const { tree, trace, files, mbox, output } = flags;
  const records = reviewedRecords();
  if (mbox !== undefined) {
    const used = ['--mbox', '--all', '--output', '--format'];
    refuseUnused(command, used, 'a posted series is reviewed by itself');
    const all = flags.all ?? false;
    writeReview(io, await mailReview(mbox, records), { form, all, output, records });
    return;
  }
  if (files !== undefined) {
    refuseUnused(command, ['--files', '--output'], 'a list of files');
    writeFiles(io, files, { output, records });
    return;
  }
  if (tree === undefined) {
    const expected = '--tree DIR or --mbox FILE|DIR';
    throw new InputError({ code: 'E_USAGE', place: { path: 'review' }, expected });
  }
  const done = await treeReview(tree, trace, records);
  // The functions of a trace are what is asked for: each is listed.
  const all = flags.all ?? trace !== undefined;
  writeReview(io, done, { form, all, output, records });
}

export function reviewCommand(io: Io): Command {
  const command = new Command('review')
    .description('hold the patch records against kernel source, or a posted series')
    .option('--tree <DIR>', 'a kernel source tree, of any release from 4.6 on')
    .option('--mbox <FILE|DIR>', 'a posted series: a mailbox, a mail, or a folder of mails')
    .option(
      '--trace <FILE>',
      'list the functions that this trace names, at their lines of the tree',
    )
    .option('--files <RELEASE>', 'list the files that a review of this release reads, as 6.1')
    .option('--all', 'list all claims with their places, not only those that failed')
    .addHelpText('after', EXAMPLES)
    .action((flags: Flags, ran: Command) => review(flags, ran, io));
  return addOutput(command, { formats: REVIEW_FORMS });
}
