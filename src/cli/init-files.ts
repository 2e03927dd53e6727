/** The files that `sme-boot init` writes, as text; the exact trace is not among them: a boot writes it. */

/** A file by its path in the project, with slashes. */
export interface ProjectFile {
  readonly path: string;
  readonly text: string;
}

/** The scenario and its exact trace. */
export const SCENARIO = 'scenarios/my-machine.yaml';
export const TRACE = 'traces/my-machine.yaml';

/** The kinds of files in a project that have a JSON Schema. */
export const SCHEMA_KINDS = [
  'scenario',
  'series',
  'trace',
  'changes',
  'expectation',
  'effects',
  'probe',
] as const;

const modeline = (kind: (typeof SCHEMA_KINDS)[number]): string =>
  `# yaml-language-server: $schema=../schemas/${kind}.schema.json`;

const README = `# my-machine

How a machine boots with AMD SME, checked with sme-boot. Add the program once: \`npm install --save-dev\` and its tarball or git address.

- \`npx sme-boot check\` boots and compares with everything in \`traces/\`: an exact trace and two match files.
- \`npx sme-boot run ${SCENARIO}\` boots the machine and prints what happens.
- \`npx sme-boot check --update\` takes an intended change into the exact trace; read the difference before you commit it.
- \`npx sme-boot probe\` runs the call scripts in \`probes/\`.

\`series/\` has selections of patches, \`schemas/\` what editors check the files with. A path in a file is relative to that file.
`;

const WORKFLOW = `# Boots every expected trace on each push. It needs package.json and package-lock.json with sme-boot in them.
name: sme-boot
on: [push, pull_request]
permissions:
  contents: read
jobs:
  check:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-node@v4
        with:
          node-version: 22
      - run: npm ci
      - run: npx --no -- sme-boot check
`;

const MACHINE = `${modeline('scenario')}
name: my-machine
title: two CPUs, BIOS, 256 MiB, a device with 32 address bits
machine:
  cpu: zen-1
  ram: 256MiB
  cpus: 2
  devices:
    - { name: ahci, dmaMask: 32 }
firmware: { type: bios, syscfgMemEncrypt: true }
cmdline: console=tty0 root=/dev/ram0 mem_encrypt=on
expect: # how the boot with all patches ends, and which data is read as garbage
  outcome: booted
  garbage: [BIOS data area, initrd, option ROM]
`;

const SERIES = `${modeline('series')}
name: without-initrd
title: the posted patches without the hunk that encrypts the initrd
source: our choice
without: [09/initrd]
`;

const MATCH = `${modeline('expectation')}
# Patch 08 encrypts the initrd in place; unpack_to_rootfs then reads it through a mapping with the C-bit.
expect: match
run: { scenario: ../${SCENARIO} }
match:
  - expect: { tlb-flush: cr3, in: sme_early_mem_enc }
    step: reserve_initrd
  - next: { cache-flush: wbinvd, in: sme_early_mem_enc }
  - expect: { encrypt: /initrd/, in: sme_early_mem_enc, via: /me_early_buffer/ }
    step: reserve_initrd
  - expect: { read: initrd, C: 1, in: unpack_to_rootfs }
    step: populate_rootfs
consumed:
  initrd: { by: unpack_to_rootfs, intact: true }
final:
  initrd: { state: ciphertext }
outcome: { kind: booted }
`;

const WITHOUT = `${modeline('expectation')}
# Without that hunk the initrd stays as the loader wrote it, and the kernel reads garbage.
expect: match
run: { scenario: ../${SCENARIO}, series: ../series/without-initrd.yaml }
match:
  - count: { encrypt: /initrd/ }
    times: 0
consumed:
  initrd: { by: unpack_to_rootfs, intact: false }
outcome: { kind: panic, message: /Unable to mount root fs/ }
`;

const PROBE = `${modeline('probe')}
probe: a page of the initrd, mapped without the C-bit
patch: 7
scenario: ../${SCENARIO}
at: reserve_initrd # stop after this step
calls:
  - { call: early_memremap_dec_wp, args: [initrd, 4096], as: page }
  - { entry: $page }
  - { read: $page, length: 16 }
`;

/** What npm needs to run the program from the folder; written only if there is none. */
export const PACKAGE: ProjectFile = {
  path: 'package.json',
  text: `\
{
  "private": true,
  "scripts": {
    "test": "sme-boot check"
  }
}
`,
};

/** The files except package.json, the schemas and the exact trace. */
export const PROJECT_FILES: readonly ProjectFile[] = [
  { path: 'README.md', text: README },
  { path: '.gitignore', text: 'node_modules/\n' },
  { path: '.github/workflows/sme-boot.yml', text: WORKFLOW },
  { path: SCENARIO, text: MACHINE },
  { path: 'series/without-initrd.yaml', text: SERIES },
  { path: 'probes/initrd.yaml', text: PROBE },
  { path: 'traces/initrd.yaml', text: MATCH },
  { path: 'traces/without-initrd.yaml', text: WITHOUT },
];
