/** Invented matrix reports with plausible values; nothing was booted. */
import {
  MATRIX_SCHEMA,
  type MatrixReport,
  type MatrixRow,
} from '../../../src/analysis/matrix/report.js';
import { allHunks } from '../../../src/series/patches.js';

/** A row equal to the whole series, with changes. */
export function row(changes: Partial<MatrixRow> = {}): MatrixRow {
  const scenario = changes.scenario ?? 'bios-minimal';
  const hunk = changes.hunk ?? '04/scattered';
  return {
    scenario,
    hunk,
    file: 'arch/x86/kernel/cpu/scattered.c',
    what: 'the name of the feature',
    how: 'out',
    outcome: { kind: 'booted' },
    same: true,
    lost: [],
    gained: [],
    encrypted: true,
    cause: 'nothing in this boot asked for it',
    command: `sme-boot run ${scenario} --without ${hunk}`,
    ...changes,
  };
}

/** The row of a hunk without which the initrd is read through the wrong mapping. */
export function initrdRow(changes: Partial<MatrixRow> = {}): MatrixRow {
  return row({
    hunk: '09/initrd',
    file: 'arch/x86/kernel/setup.c',
    what: 'the initrd is encrypted in place before the check whether it must be relocated',
    firstUse: 'reserve_initrd',
    outcome: {
      kind: 'panic',
      where: 'mount_block_root',
      message: 'VFS: Unable to mount root fs on unknown-block(0,0)',
    },
    same: false,
    wrong: {
      name: 'initrd',
      reader: 'unpack_to_rootfs',
      readC: 1,
      writer: 'loader',
      writeC: 0,
      pa: '0x7ff9e000',
    },
    lost: ['initrd'],
    cause: 'written by loader with C=0 and never encrypted, read by unpack_to_rootfs with C=1',
    ...changes,
  });
}

/** A report of rows; their scenarios boot. */
export function report(
  rows: readonly MatrixRow[],
  changes: Partial<MatrixReport> = {},
): MatrixReport {
  const names = [...new Set(rows.map(({ scenario }) => scenario))];
  return {
    'sme-boot-matrix': MATRIX_SCHEMA,
    series: 'rfc-v1',
    scenarios: names.map((name) => ({
      name,
      digest: `digest of ${name}`,
      outcome: { kind: 'booted' },
      garbage: ['BIOS data area'],
    })),
    rows: [...rows],
    missing: [],
    ...changes,
  };
}

/** Possible outcomes, in turn. */
const FATES: readonly Partial<MatrixRow>[] = [
  {},
  {
    outcome: { kind: 'panic', where: 'mount_block_root', message: 'VFS: Unable to mount root fs' },
    wrong: initrdRow().wrong!,
    lost: ['initrd'],
    cause: initrdRow().cause,
  },
  { cause: 'used in setup_arch, with the same bits in every entry that it made' },
  {
    outcome: { kind: 'triple-fault', where: 'startup_64', message: '#PF(0) at 0xffffffff81000110' },
    wrong: {
      name: 'page tables',
      reader: 'page walk of CPU 0',
      readC: 0,
      writer: 'sme_encrypt_kernel',
      writeC: 1,
      pa: '0x1c0b000',
    },
    lost: ['boot params', 'command line', 'EFI system table', 'initrd', 'AP 1', 'AP 2'],
    cause:
      'CR3 was loaded without the mask: tables that sme_encrypt_kernel had written with C=1 were walked as ciphertext, and the next instruction was not found',
  },
  {
    wrong: {
      name: 'EFI configuration tables',
      reader: 'efi_config_parse_tables',
      readC: 1,
      writer: 'firmware',
      writeC: 0,
      pa: '0x7e9fd018',
    },
    lost: ['EFI configuration tables', 'ESRT', 'BGRT'],
    cause:
      'written by firmware with C=0, read by efi_config_parse_tables through early_memremap with C=1',
  },
  {
    outcome: { kind: 'hung', where: 'wait_for_master_cpu', message: 'CPU 1 never called in' },
    wrong: {
      name: 'AP 1',
      reader: 'startup_32_smp',
      readC: 0,
      writer: 'setup_real_mode',
      writeC: 1,
    },
    lost: ['AP 1', 'AP 2', 'AP 3'],
    cause: 'the trampoline was written with C=1 and read by a CPU without paging',
  },
  {
    gained: ['BIOS data area'],
    cause: 'the protection map kept no mask, so it was read with C=0',
  },
];

/** Every hunk of the series in two scenarios, each with one of the outcomes. */
export function wholeSeries(): MatrixReport {
  const rows = ['bios-minimal', 'epyc-efi'].flatMap((scenario, at) =>
    allHunks().map(({ id, file, what, stub }, index) => {
      const fate = FATES[(index * (3 + at) + at) % FATES.length];
      const same = fate?.wrong === undefined && fate?.gained === undefined;
      const how = stub === undefined ? 'out' : 'stub';
      const used = same ? {} : { firstUse: 'setup_arch' };
      return row({ scenario, hunk: id, file, what, how, same, ...used, ...fate });
    }),
  );
  return report(rows, { missing: ['epyc-efi 18/sme_enable_more', 'epyc-efi 18/sme_relocate'] });
}
