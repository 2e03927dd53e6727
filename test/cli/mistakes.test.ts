/** Mistakes that a person makes on the command line, and the one line that each is answered with. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sme } from './io.js';

/** Small files of each kind, most with one mistake; a character is a byte. In the table, DIR is their folder. */
const FILES: Readonly<Record<string, string>> = {
  vmlinuz: 'MZ\0\x01\x02',
  'empty.yaml': '',
  'noise.yaml': '\0\x01\x02\x03',
  'boot.log': '[    0.000000] Linux version 4.6.5\n',
  'initrd.img': '070701\0',
  'machine.yaml': 'name: m\ntitle: t\nmachine: {cpu: zen-1, ram: 1GiB}\n',
  'typo.yaml':
    'name: m\ntitle: t\nmachine: {cpu: zen-1, ram: 1GiB, devices: [{name: nic, dmaMsk: 32}]}\n',
  'tabs.yaml': 'name: m\n\ttitle: t\n',
  'series.yaml': 'name: series\ntitle: t\nsource: s\nwithout: [09/initr]\n',
  'series-key.yaml': 'name: series-key\ntitle: t\nsource: s\nwihtout: [09]\n',
  'match.yaml': 'expect: match\nrun: {scenario: bios-minimal}\noutcome: {kind: booted}\n',
  'match-key.yaml': 'expect: match\nrun: {senario: bios-minimal}\noutcome: {kind: booted}\n',
  'match-kind.yaml':
    'expect: match\nrun: {scenario: bios-minimal}\nmatch: [{expect: {encript: x}}]\n',
  'match-field.yaml':
    'expect: match\nrun: {scenario: bios-minimal}\nmatch: [{expect: {cr: CR3, tabel: x}}]\n',
  'match-word.yaml': 'expect: match\nrun: {scenario: bios-minimal}\nmatch: [{expct: {cr: CR3}}]\n',
  'match-outcome.yaml': 'expect: match\nrun: {scenario: bios-minimal}\noutcome: {kind: bootd}\n',
  'probe-label.yaml':
    'probe: p\npatch: 3\nscenario: bios-minimal\nat: startup_64:swich\ncalls: [{entry: _text}]\n',
  'probe-call.yaml':
    'probe: p\npatch: 3\nscenario: bios-minimal\nat: loader\ncalls: [{call: early_memremap_de}]\n',
  'probe-key.yaml':
    'probe: p\npatch: 3\nscenaro: bios-minimal\nat: loader\ncalls: [{entry: _text}]\n',
  'report.json': '{"sme-boot-matrix": 1, "series": "rfc-v1"}\n',
};

/** A mistake, the command line, and the message without `sme-boot: `. */
const MISTAKES: readonly (readonly [what: string, argv: readonly string[], message: string])[] = [
  [
    'a command',
    ['rnu'],
    'E_USAGE: sme-boot: no such command; expected a command of "sme-boot --help", found rnu; did you mean run?',
  ],
  [
    'a command with a typo',
    ['chekc', 'traces'],
    'E_USAGE: sme-boot: no such command; expected a command of "sme-boot --help", found chekc; did you mean check?',
  ],
  [
    'a length of a place',
    ['why', 'initrd:99999999999'],
    'E_MEM: expected at most 1073741824 bytes, found 99999999999',
  ],
  ['an output without a name', ['list', 'labels', '-o', ''], 'E_WRITE: "": it is a directory'],
  [
    'a short option without its value',
    ['run', '-o'],
    'E_USAGE: run: --output needs a value; expected --output <FILE>',
  ],
  ['a file in this folder', ['run', 'mine.yaml'], 'E_READ: mine.yaml: no such file'],
  [
    'a file in this folder with a typo',
    ['run', 'package.yaml'],
    'E_READ: package.yaml: no such file; did you mean package.json?',
  ],
  [
    'a regular expression of --expect',
    ['run', 'bios-minimal', '--expect', 'console=/(/'],
    'E_USAGE: --expect: not a predicate; expected a regular expression in RE2 syntax (no backreferences, no lookahead or lookbehind): missing closing ): `(`, found console=/(/',
  ],
  [
    'a regular expression of --filter',
    ['check', 'traces', '--filter', '/(/'],
    'E_FILTER: --filter: Invalid regular expression: /(/u: Unterminated group; found /(/',
  ],
  [
    'the command of help',
    ['--color', 'never', 'help', 'chek'],
    'E_USAGE: sme-boot: no such command; expected a command of "sme-boot --help", found chek; did you mean check?',
  ],
  [
    'a word of every object as the command of help',
    ['help', '__proto__'],
    'E_USAGE: sme-boot: no such command; expected a command of "sme-boot --help", found __proto__',
  ],
  [
    'the subcommand of help',
    ['help', 'matrix', 'merg'],
    'E_USAGE: matrix: no such command; expected merge, found merg; did you mean merge?',
  ],
  [
    'a subcommand where a scenario may be',
    ['matrix', 'merg', 'DIR/report.json'],
    'E_SCENARIO_UNKNOWN: expected a file, or a name that "sme-boot list scenarios" prints, found merg; did you mean merge?',
  ],
  [
    'a subcommand',
    ['scenario', 'from-dmseg', 'boot.log'],
    'E_USAGE: scenario: no such command; expected from-dmesg, found from-dmseg; did you mean from-dmesg?',
  ],
  [
    'a subcommand of matrix as a command',
    ['merge', 'DIR/report.json'],
    'E_USAGE: sme-boot: no such command; expected a command of "sme-boot --help", found merge',
  ],
  [
    'an option',
    ['run', '--stge', '3'],
    'E_USAGE: run: unknown option --stge; did you mean --stage?',
  ],
  [
    'an option with one dash',
    ['run', '-stage', '3'],
    'E_USAGE: run: unknown option -stage; did you mean --stage?',
  ],
  [
    'an option of another command',
    ['run', '--vtop', '_text'],
    'E_USAGE: run: unknown option --vtop, which is an option of inspect',
  ],
  [
    'an option of run, for bisect',
    ['bisect', 'fixed', '--expect', 'outcome=panic', '--without', '09'],
    'E_USAGE: bisect: unknown option --without, which is an option of run, inspect, why, exposure, view, lockstep, list',
  ],
  [
    'an option of run, for check',
    ['check', '--stage', '3'],
    'E_USAGE: check: unknown option --stage, which is an option of run, diff, bisect, inspect, why, exposure, view, lockstep, probe, list',
  ],
  [
    'a global option',
    ['--colour', 'never', 'run'],
    'E_USAGE: sme-boot: unknown option --colour; did you mean --color?',
  ],
  [
    'a value of a global option',
    ['--color', 'pink', 'run'],
    'E_USAGE: sme-boot --color: expected auto, always, never, found "pink"',
  ],
  [
    'an option without its value',
    ['run', '--stage'],
    'E_USAGE: run: --stage needs a value; expected --stage <N>',
  ],
  [
    'a missing argument',
    ['bisect', '--expect', 'outcome=panic'],
    'E_USAGE: bisect: SERIES is missing; expected bisect [options] <SERIES> [SCENARIO]',
  ],
  [
    'a missing list topic',
    ['list'],
    'E_USAGE: list: WHAT is missing; expected list [options] <WHAT> [SCENARIO]',
  ],
  [
    'a second scenario',
    ['run', 'bios-minimal', 'epyc-efi'],
    'E_USAGE: run: too many arguments; expected run [options] [SCENARIO], found epyc-efi',
  ],
  [
    'a scenario after --without',
    ['run', '--without', '09/initrd', 'bios-minimal'],
    'E_USAGE: put the scenario before --without; found --without … bios-minimal',
  ],
  [
    'a scenario',
    ['run', 'epyc-eif'],
    'E_SCENARIO_UNKNOWN: expected a file, or a name that "sme-boot list scenarios" prints, found epyc-eif; did you mean epyc-efi?',
  ],
  [
    'a scenario with an underscore',
    ['run', 'epyc_efi'],
    'E_SCENARIO_UNKNOWN: expected a file, or a name that "sme-boot list scenarios" prints, found epyc_efi; did you mean epyc-efi?',
  ],
  [
    'a scenario by its file name',
    ['run', 'bios-minimal.yaml'],
    'E_SCENARIO_UNKNOWN: expected a file, or a name that "sme-boot list scenarios" prints, found bios-minimal.yaml; did you mean bios-minimal?',
  ],
  [
    'a scenario in capitals',
    ['inspect', 'EPYC-EFI'],
    'E_SCENARIO_UNKNOWN: expected a file, or a name that "sme-boot list scenarios" prints, found EPYC-EFI; did you mean epyc-efi?',
  ],
  [
    'a scenario for bisect',
    ['bisect', 'fixed', '--expect', 'outcome=panic', '--scenario', 'epyc'],
    'E_SCENARIO_UNKNOWN: expected a file, or a name that "sme-boot list scenarios" prints, found epyc; did you mean epyc-efi?',
  ],
  [
    'a scenario for matrix',
    ['matrix', 'bios-minmal'],
    'E_SCENARIO_UNKNOWN: expected a file, or a name that "sme-boot list scenarios" prints, found bios-minmal; did you mean bios-minimal?',
  ],
  [
    'a scenario as a series',
    ['bisect', 'bios-minimal', '--expect', 'outcome=panic'],
    'E_SERIES_UNKNOWN: expected a file, or one of fixed, merged-4-14, rfc-v1, found bios-minimal',
  ],
  [
    'a file of scenarios/',
    ['run', 'scenarios/bios-minmal.yaml'],
    'E_READ: scenarios/bios-minmal.yaml: no such file; did you mean scenarios/bios-minimal.yaml?',
  ],
  [
    'a series',
    ['run', '--series', 'fixd'],
    'E_SERIES_UNKNOWN: expected a file, or a name that "sme-boot list series" prints, found fixd; did you mean fixed?',
  ],
  [
    'a hunk',
    ['run', '--without', '09/initr'],
    'E_HUNK: there is no such hunk or patch at this stage; expected 09/bootdata, 09/initrd, found 09/initr; did you mean 09/initrd?',
  ],
  [
    'a hunk with one digit',
    ['run', '--without', '9/initr'],
    'E_HUNK: there is no such hunk or patch at this stage; expected 09/bootdata, 09/initrd, found 09/initr; did you mean 09/initrd?',
  ],
  [
    'a hunk without its patch',
    ['run', '--without', 'initrd'],
    'E_HUNK: there is no such hunk or patch at this stage; expected a hunk or the number of a patch, as "sme-boot list hunks" prints them, found initrd; did you mean 09/initrd?',
  ],
  [
    'a patch above the last',
    ['run', '--without', '19'],
    'E_HUNK: there is no such hunk or patch at this stage; expected a hunk or the number of a patch, as "sme-boot list hunks" prints them, found 19',
  ],
  [
    'a hunk that the stage does not have',
    ['run', '--stage', '8', '--without', '09/initrd'],
    'E_HUNK: this stage does not have this hunk or patch; expected stage 9 or a later one, found 09/initrd',
  ],
  [
    'a hunk for matrix',
    ['matrix', '--only', '9/bootdat'],
    'E_HUNK: no such hunk or patch; expected 09/bootdata, 09/initrd, found 9/bootdat; did you mean 09/bootdata?',
  ],
  [
    'no hunk',
    ['run', '--without', ','],
    'E_USAGE: expected the name of a hunk, patch or alternative, found ","',
  ],
  [
    'an alternative',
    ['run', '--with', '14/own-structure'],
    'E_ALTERNATIVE: there is no such alternative; expected an alternative that "sme-boot list alternatives" prints, found 14/own-structure; did you mean 14/own-structures?',
  ],
  [
    'patch 18 on a stage that lacks what it needs',
    ['run', 'bios-minimal', '--stage', '5', '--activate'],
    'E_MISSING_NEED: 18/sme_enable: 18 needs sme_enable from 06',
  ],
  ['--stub alone', ['run', '--stub'], 'E_USAGE: --stub needs --without'],
  [
    'a stage in hexadecimal',
    ['run', '--stage', '0x9'],
    'E_STAGE: --stage: expected a plain number from 0 to 18, found "0x9"',
  ],
  [
    'a stage with an exponent',
    ['run', '--stage', '1e1'],
    'E_STAGE: --stage: expected a plain number from 0 to 18, found "1e1"',
  ],
  [
    'an empty stage',
    ['run', '--stage', ''],
    'E_STAGE: --stage: expected a plain number from 0 to 18, found ""',
  ],
  [
    'a negative stage',
    ['run', '--stage=-1'],
    'E_STAGE: --stage: expected a plain number from 0 to 18, found "-1"',
  ],
  [
    'a stage above the last',
    ['run', '--stage', '19'],
    'E_STAGE: --stage: expected a plain number from 0 to 18, found "19"',
  ],
  [
    'two stages',
    ['run', '--stage', '3', '--stage', '4'],
    'E_USAGE: run: --stage is given twice; expected one value, found 3 and 4',
  ],
  [
    'an output under two names',
    ['run', '--trace', 'DIR/a.yaml', '-o', 'DIR/b.yaml'],
    'E_USAGE: run: --trace and --output exclude each other; expected one of the two, found --trace DIR/a.yaml --output DIR/b.yaml',
  ],
  [
    'an output under two names, the former last',
    ['matrix', '-o', 'DIR/a.json', '--out', 'DIR/a.json'],
    'E_USAGE: matrix: --output and --out exclude each other; expected one of the two, found --output DIR/a.json --out DIR/a.json',
  ],
  [
    'a format under two names',
    ['check', '--reporter', 'ktap', '--format', 'junit'],
    'E_USAGE: check: --reporter and --format exclude each other; expected one of the two, found --reporter ktap --format junit',
  ],
  [
    'the sanitizer on and off',
    ['run', '--sanitize', '--no-sanitize'],
    'E_USAGE: run: --sanitize and --no-sanitize exclude each other; expected one of the two, found --sanitize --no-sanitize',
  ],
  ...(
    [
      ['--fail-on-report', ['run', 'intel', '--fail-on-report']],
      ['--suppress', ['run', '--suppress', 'DIR/none.yaml']],
      ['--format sarif', ['run', '--format', 'sarif']],
      ['--format junit', ['run', '--format', 'junit']],
      ['--format github', ['run', '--format', 'github']],
      ['--format sarif', ['run', '--output', 'DIR/r.sarif']],
      ['--expect report=cbit-on-mmio', ['run', '--expect', 'report=cbit-on-mmio']],
      ['--expect report=cbit-on-mmio', ['bisect', 'rfc-v1', '--expect', 'report=cbit-on-mmio']],
    ] as const
  ).map(
    ([use, words]) =>
      [
        `no sanitizer and ${words.join(' ')}`,
        [...words, '--no-sanitize'],
        `E_USAGE: ${use} needs the reports of the sanitizer, and --no-sanitize turns it off; expected one of the two, found --no-sanitize ${use}`,
      ] as const,
  ),
  [
    'a patch by name',
    ['effects', 'initrd'],
    'E_SCENARIO_UNKNOWN: expected a file, or a name that "sme-boot list scenarios" prints, found initrd; did you mean initrd-behind-kernel?',
  ],
  [
    'a patch number above the last',
    ['patches', '19'],
    'E_PATCH: patches: expected a plain number from 1 to 18, found "19"',
  ],
  [
    'a patch number with an exponent',
    ['effects', '1e1'],
    'E_PATCH: effects: expected a plain number from 1 to 18, found "1e1"',
  ],
  [
    'jobs',
    ['matrix', '--jobs', 'many'],
    'E_USAGE: matrix --jobs: expected a number of threads, 1 to 256, found "many"',
  ],
  [
    'a shard',
    ['matrix', '--shard', '0/2'],
    'E_SHARD: --shard: expected I/N with I from 1 to N: 2/5, found "0/2"',
  ],
  [
    'a boot of a log',
    ['scenario', 'from-dmesg', 'DIR/boot.log', '--boot', '0'],
    'E_USAGE: scenario from-dmesg --boot: expected a number from 1 on, found "0"',
  ],
  [
    'a label',
    ['inspect', '--at', 'startup_64:swich'],
    'E_LABEL: --at: no such label; expected a label of "sme-boot list labels", found startup_64:swich; did you mean startup_64:switch?',
  ],
  [
    'a symbol',
    ['inspect', '--vtop', 'early_level4_pg'],
    'E_PLACE: --vtop: no such place in memory; expected an address, a symbol (sme-boot list symbols) or a region (sme-boot list regions), found early_level4_pg; did you mean early_level4_pgt?',
  ],
  [
    'a region',
    ['inspect', '--mem', 'kernel txt:64'],
    'E_PLACE: --mem: no such place in memory; expected an address, a symbol (sme-boot list symbols) or a region (sme-boot list regions), found kernel txt; did you mean kernel text?',
  ],
  [
    '--mem without a length',
    ['inspect', '--mem', 'initrd'],
    'E_MEM: --mem: expected PLACE:LEN, LEN in bytes, found "initrd"',
  ],
  [
    '--mem with a unit',
    ['inspect', '--mem', 'initrd:64KiB'],
    'E_MEM: --mem: expected PLACE:LEN, LEN in bytes, found "initrd:64KiB"',
  ],
  [
    'a second --mem that is a misspelt region',
    ['inspect', '--mem', 'initrd:16', '--mem', 'inird:32'],
    'E_PLACE: --mem: no such place in memory; expected an address, a symbol (sme-boot list symbols) or a region (sme-boot list regions), found inird; did you mean initrd?',
  ],
  [
    'two --mem in one file',
    ['inspect', '--mem', 'initrd:16', '--mem', 'initrd:32', '--save', 'DIR/bytes'],
    'E_USAGE: inspect: --save takes the bytes of one --mem; expected one --mem, found initrd:16 and initrd:32',
  ],
  [
    'a second --vtop',
    ['inspect', '--vtop', 'initrd', '--vtop', '_text'],
    'E_USAGE: inspect: --vtop is given twice; expected one value, found initrd and _text',
  ],
  [
    'a view of memory',
    ['inspect', '--mem', 'initrd:16', '--as', 'c2'],
    'E_USAGE: inspect --as: expected dram, c0, c1, found "c2"; did you mean c0 or c1?',
  ],
  [
    '--as without --mem',
    ['inspect', '--as', 'c1'],
    'E_USAGE: inspect: --as has no effect without --mem; expected --mem, found --as',
  ],
  [
    '--save without --mem',
    ['inspect', '--save', 'bytes.bin'],
    'E_USAGE: inspect: --save has no effect without --mem; expected --mem, found --save',
  ],
  [
    '--save into no folder',
    ['inspect', '--mem', 'initrd:16', '--save', 'DIR/none/bytes.bin'],
    'E_WRITE: DIR/none/bytes.bin: there is no folder DIR/none',
  ],
  [
    '--anyway without a label',
    ['inspect', '--anyway'],
    'E_USAGE: inspect: --anyway has no effect without --at; expected --at, found --anyway',
  ],
  [
    'a CPU of a machine with four',
    ['inspect', '--cpu', '4'],
    'E_USAGE: --cpu: the machine has no such CPU; expected a number from 0 to 3, found "4"',
  ],
  [
    'a CPU of a machine with one',
    ['inspect', 'bios-minimal', '--cpu', 'all'],
    'E_USAGE: --cpu: the machine has no such CPU; expected 0, its only one, found "all"',
  ],
  [
    '--cpu beside what all CPUs share',
    ['inspect', '--cpu', '1', '--engine'],
    'E_USAGE: inspect: --cpu has no effect on --engine; expected --regs, --tlb, --ptdump, --vtop, --mem, --cache, found --cpu',
  ],
  [
    '--cache with a misspelt region',
    ['inspect', '--cache', 'kernel txt'],
    'E_PLACE: --cache: no such place in memory; expected an address, a symbol (sme-boot list symbols) or a region (sme-boot list regions), found kernel txt; did you mean kernel text?',
  ],
  [
    '--cache of no byte',
    ['inspect', '--cache', 'initrd:0'],
    'E_MEM: --cache: expected PLACE or PLACE:LEN, LEN in bytes, found "initrd:0"',
  ],
  [
    '--cache of more than there is',
    ['inspect', '--cache', '0:0x40000001'],
    'E_MEM: --cache: expected at most 1073741824 bytes, found 1073741825',
  ],
  [
    'two labels in the wrong order',
    ['inspect', '--at', 'run_init', '--at', 'loader'],
    'E_USAGE: --at: the labels are not in the order of the boot; expected --at loader --at run_init, found run_init and loader',
  ],
  [
    'a label compared with itself',
    ['inspect', '--at', 'loader', '--at', 'loader'],
    'E_USAGE: --at: the two labels are the same; expected two labels to compare, found loader and loader',
  ],
  [
    'three labels',
    ['inspect', '--at', 'loader', '--at', 'startup_64', '--at', 'kvm'],
    'E_USAGE: --at: too many labels; expected one label, or two to compare, found loader and startup_64 and kvm',
  ],
  [
    'a misspelt second label',
    ['inspect', '--at', 'loader', '--at', 'startup_46'],
    'E_LABEL: --at: no such label; expected a label of "sme-boot list labels", found startup_46; did you mean startup_64?',
  ],
  [
    'one file for the bytes at two labels',
    ['inspect', '--at', 'loader', '--at', 'kvm', '--mem', '0:4', '--save', 'DIR/bytes'],
    'E_USAGE: inspect: --save takes the bytes of one --at; expected one --at, found loader and kvm',
  ],
  [
    'an address that is not canonical',
    ['inspect', '--vtop', '0x8000000000000000'],
    'E_PLACE: --vtop: no such place in memory; expected a canonical address, found 0x8000000000000000',
  ],
  [
    'an address of more than 64 bits',
    ['inspect', '--mem', '0x10000000000000000:16'],
    'E_PLACE: --mem: no such place in memory; expected a canonical address, found 0x10000000000000000',
  ],
  [
    'an offset beyond all addresses',
    ['inspect', '--vtop', '_text+0xffffffffffffffff'],
    'E_PLACE: --vtop: no such place in memory; expected a canonical address, found _text+0xffffffffffffffff',
  ],
  [
    'an index beyond a table',
    ['inspect', '--vtop', 'init_level4_pgt[512]'],
    'E_PLACE: --vtop: no such place in memory; expected an index below 512, found init_level4_pgt[512]',
  ],
  [
    'a key of --set',
    ['run', '--set', 'machine.rma=4GiB'],
    'E_UNKNOWN_KEY: scenarios/epyc-efi.yaml, machine.rma: unknown key "rma"; expected cpu, sme, ram, cache, engine, seed, mtrr, cpus, vga, iommu, devices; did you mean ram?',
  ],
  [
    '--set without a value',
    ['run', '--set', 'machine.ram'],
    'E_SET: a setting has the form path=value; expected for example machine.ram=4GiB, found machine.ram',
  ],
  [
    'a unit of RAM',
    ['run', '--set', 'machine.ram=1GB'],
    'E_SCENARIO: scenarios/epyc-efi.yaml, machine.ram: a size is a number of bytes, also in hexadecimal, or with KiB, MiB, GiB or TiB: 4GiB; found "1GB"',
  ],
  [
    'a value of --set',
    ['run', '--set', 'firmware.type=eif'],
    'E_SCENARIO: scenarios/epyc-efi.yaml, firmware.type: expected bios or efi, found "eif"; did you mean efi?',
  ],
  [
    'a processor',
    ['run', '--set', 'machine.cpu=zen-11'],
    'E_SCENARIO: scenarios/epyc-efi.yaml, machine.cpu: expected zen-1 or zen-2 or zen-3 or epyc-9654 or zen-5 or hygon-dhyana or amd-k8 or amd-k10 or amd-bobcat or amd-bulldozer or amd-jaguar or intel-broadwell, found "zen-11"; did you mean zen-1?',
  ],
  [
    'a word for a number',
    ['run', '--set', 'machine.cpus=two'],
    'E_SCENARIO: scenarios/epyc-efi.yaml, machine.cpus: expected a number, found "two"',
  ],
  [
    'a key that is set twice',
    ['run', '--set', 'machine.ram=1GiB', '--set', 'machine.ram=2GiB'],
    'E_USAGE: machine.ram is set twice; expected one value, found machine.ram=1GiB and machine.ram=2GiB',
  ],
  [
    'two command lines',
    ['run', '--cmdline', 'quiet', '--set', 'cmdline=debug'],
    'E_USAGE: the command line is given twice; expected --cmdline or --set cmdline=, found both',
  ],
  [
    'a section of --set',
    ['run', '--set', 'machin.ram=1GiB'],
    'E_UNKNOWN_KEY: scenarios/epyc-efi.yaml, machin: unknown key "machin"; expected name, title, machine, firmware, kernel, loader, guest, kexec, cmdline, config, expect; did you mean machine?',
  ],
  [
    'a list topic',
    ['list', 'hunk'],
    'E_USAGE: list WHAT: expected scenarios, series, labels, options, patches, rules, hunks, alternatives, regions, symbols, found "hunk"; did you mean hunks?',
  ],
  [
    'an argument of a list that has none',
    ['list', 'hunks', 'nope'],
    'E_USAGE: list: "list hunks" is the same for every boot: nope would have no effect; found nope',
  ],
  [
    'a stage of a list that has none',
    ['list', 'hunks', '--stage', '3'],
    'E_USAGE: list: "list hunks" is the same for every boot: --stage would have no effect; expected no options but --format, --output, found --stage',
  ],
  [
    'a kind of schema',
    ['schema', 'scenrio'],
    'E_USAGE: schema KIND: expected scenario, series, trace, changes, expectation, patch, base, finding, probe, effects, question, suppressions, found "scenrio"; did you mean scenario?',
  ],
  [
    'a view of effects',
    ['effects', '12', '--view', 'witout'],
    'E_VIEW: --view: expected stage, activated, without, probes, found "witout"; did you mean without?',
  ],
  [
    'a scenario for the view probes',
    ['effects', '12', '--view', 'probes', '--scenario', 'no-iommu'],
    'E_USAGE: effects: call scripts have scenarios of their own: --scenario would have no effect; expected another view than probes, or no --scenario, found --scenario no-iommu',
  ],
  [
    'a format',
    ['effects', '12', '--format', 'xml'],
    'E_USAGE: effects --format: expected text, yaml, json, found "xml"',
  ],
  [
    'an output format by name',
    ['matrix', '--out', 'report.pdf'],
    'E_USAGE: --output: no format has this file name extension; expected .json, .md, .html, .txt, or --format, found report.pdf',
  ],
  [
    'an output format by a shorter name',
    ['matrix', '--out', 'report.htm'],
    'E_USAGE: --output: no format has this file name extension; expected .json, .md, .html, .txt, or --format, found report.htm; did you mean .html?',
  ],
  [
    'an output file in no folder',
    ['matrix', '--out', 'DIR/none/report.html'],
    'E_WRITE: DIR/none/report.html: there is no folder DIR/none',
  ],
  [
    'a file as the folder of --keep',
    ['matrix', '--keep', 'DIR/vmlinuz'],
    'E_WRITE: DIR/vmlinuz: a file has that name',
  ],
  [
    'a trace into a folder',
    ['run', '--trace', 'DIR/folder'],
    'E_WRITE: DIR/folder: it is a directory',
  ],
  [
    'a format of the trace with a typo',
    ['run', '--format', 'jsno'],
    'E_USAGE: run --format: expected text, yaml, json, jsonl, perfetto, junit, sarif, github, found "jsno"; did you mean json?',
  ],
  [
    'a command of a completion',
    ['completion', 'bsh'],
    'E_USAGE: completion SHELL: expected bash, zsh, fish, found "bsh"; did you mean bash or zsh?',
  ],
  [
    'a folder of init that is a file',
    ['init', 'DIR/vmlinuz'],
    'E_INIT: DIR/vmlinuz: expected a folder, found a file',
  ],
  [
    'a shard beyond the last',
    ['check', 'traces/match', '--shard', '6/5'],
    'E_SHARD: --shard: expected I/N with I from 1 to N: 2/5, found "6/5"',
  ],
  [
    'a filter that selects no file',
    ['check', 'traces/match', '--filter', 'initrd.yml'],
    'E_NOTHING: --filter selects none of 31 files; found initrd.yml',
  ],
  [
    'a step of a match file with a typo',
    ['run', '--match-out', '-', '--match-step', 'reserve_inird'],
    'E_LABEL: --match-step: no such label; expected a label of "sme-boot list labels", found reserve_inird; did you mean reserve_initrd?',
  ],
  [
    'a kind of event with a typo',
    ['run', '--match-out', '-', '--match-kind', 'consle'],
    'E_KIND: --match-kind: there is no such kind of event; expected one of enter, cpuid, rdmsr, wrmsr, cr, map, unmap, protect, tlb-flush, cache-flush, copy, fill, encrypt, decrypt, dma, ipi, vmrun, vmexit, console, read, fault, panic, outcome, found consle; did you mean console?',
  ],
  [
    'an expected outcome with a typo',
    ['run', '--expect', 'outcome=boted'],
    'E_USAGE: --expect: not a predicate; expected outcome=booted|panic|triple-fault|hung, found outcome=boted; did you mean booted?',
  ],
  [
    '--system-map alone',
    ['run', '--system-map', 'System.map'],
    'E_USAGE: --system-map has no effect without --kernel; expected --kernel FILE, found --system-map System.map',
  ],
  [
    'an outcome',
    ['bisect', 'fixed', '--expect', 'outcome=panik'],
    'E_USAGE: --expect: not a predicate; expected outcome=booted|panic|triple-fault|hung, found outcome=panik; did you mean panic?',
  ],
  [
    'a predicate',
    ['bisect', 'fixed', '--expect', 'outcom=panic'],
    'E_USAGE: --expect: not a predicate; expected outcome=KIND, garbage=NAME, intact=NAME, report=RULE, event={…} or console=TEXT, found outcom=panic; did you mean outcome?',
  ],
  [
    'data that is read',
    ['bisect', 'fixed', '--expect', 'garbage=initdr'],
    'E_USAGE: --expect: no boot of this scenario reads data of this name; expected a name that "run" lists under "what the boot read", found garbage=initdr; did you mean initrd?',
  ],
  [
    'the data of a device',
    ['bisect', 'fixed', '--expect', 'intact=nic to devise'],
    'E_USAGE: --expect: no boot of this scenario reads data of this name; expected a name that "run" lists under "what the boot read", found intact=nic to devise; did you mean nic to device?',
  ],
  [
    'a kind of event',
    ['bisect', 'fixed', '--expect', 'event={crr: CR3}'],
    'E_EXPECTATION: --expect:1:9, expect: expected one kind of event in a pattern, of enter, cpuid, rdmsr, wrmsr, cr, map, unmap, protect, tlb-flush, cache-flush, copy, fill, encrypt, decrypt, dma, ipi, vmrun, vmexit, console, read, fault, panic, outcome, found crr; did you mean cr?',
  ],
  [
    'a field of an event',
    ['bisect', 'fixed', '--expect', 'event={cr: CR3, tabel: x}'],
    'E_EXPECTATION: --expect:1:19, expect.tabel: unknown key "tabel"; expected one of value, table, C, cpu, in, file, patch, hunk, n; did you mean table?',
  ],
  ['no predicate', ['bisect', 'fixed'], 'E_USAGE: bisect needs --expect'],
  [
    'one side of diff',
    ['diff', 'bios-minimal'],
    'E_USAGE: diff needs two traces; expected two traces, or --stage twice',
  ],
  [
    'an option in a side of diff',
    ['diff', 'bios-minimal --stge 3', 'bios-minimal'],
    'E_USAGE: diff A, run: unknown option --stge; did you mean --stage?',
  ],
  [
    'a stage in a side of diff',
    ['diff', 'bios-minimal', 'bios-minimal --stage 99'],
    'E_STAGE: diff B, --stage: expected a plain number from 0 to 18, found "99"',
  ],
  [
    'a side of diff that does not link',
    ['diff', 'bios-minimal --stage 5 --activate', 'bios-minimal'],
    'E_MISSING_NEED: diff A, 18/sme_enable: 18 needs sme_enable from 06',
  ],
  [
    'a side of diff with an open quotation mark',
    ['diff', "bios-minimal --cmdline 'quiet", 'bios-minimal'],
    "E_USAGE: diff A: the quotation is not closed ('); found bios-minimal --cmdline 'quiet",
  ],
  [
    'an option beside both sides of diff',
    ['diff', 'bios-minimal', 'bios-minimal', '--activate'],
    'E_USAGE: diff: A and B have their own options: "bios-minimal --activate": --activate would have no effect; expected no options but --format, --output, found --activate',
  ],
  [
    'one stage of diff',
    ['diff', '--stage', '3'],
    'E_USAGE: diff needs two traces; expected --stage twice and at most one scenario',
  ],
  [
    'a file of diff',
    ['diff', 'traces/bios-minimal/stage-99.yaml', 'traces/bios-minimal/stage-00.yaml'],
    'E_READ: traces/bios-minimal/stage-99.yaml: no such file; did you mean traces/bios-minimal/stage-09.yaml?',
  ],
  [
    'a match file for diff',
    ['diff', 'DIR/match.yaml', 'DIR/match.yaml'],
    'E_NOT_A_TRACE: DIR/match.yaml: a file of match expectations is not a trace',
  ],
  [
    'a kernel image as a scenario',
    ['run', 'DIR/vmlinuz'],
    'E_SCENARIO: DIR/vmlinuz: expected a scenario, found a kernel image; did you mean --kernel DIR/vmlinuz?',
  ],
  [
    'an initrd as a scenario',
    ['run', 'DIR/initrd.img'],
    'E_SCENARIO: DIR/initrd.img: expected a scenario, found a cpio archive; did you mean --initrd DIR/initrd.img?',
  ],
  [
    'a kernel log as a scenario',
    ['run', 'DIR/boot.log'],
    'E_SCENARIO: DIR/boot.log: expected a scenario, found a kernel log; did you mean sme-boot scenario from-dmesg DIR/boot.log?',
  ],
  [
    'a trace as a scenario',
    ['run', 'traces/bios-minimal/stage-00.yaml'],
    'E_SCENARIO: traces/bios-minimal/stage-00.yaml: expected a scenario, found a trace; did you mean sme-boot check traces/bios-minimal/stage-00.yaml?',
  ],
  [
    'a trace as a series',
    ['run', '--series', 'traces/bios-minimal/stage-00.yaml'],
    'E_SERIES: traces/bios-minimal/stage-00.yaml: expected a series, found a trace; did you mean sme-boot check traces/bios-minimal/stage-00.yaml?',
  ],
  [
    'a scenario as a call script',
    ['probe', 'scenarios/kexec.yaml'],
    'E_PROBE: scenarios/kexec.yaml: expected a call script, found a scenario; did you mean sme-boot run scenarios/kexec.yaml?',
  ],
  [
    'a match file as a scenario',
    ['run', 'DIR/match.yaml'],
    'E_SCENARIO: DIR/match.yaml: expected a scenario, found an expectation; did you mean sme-boot check DIR/match.yaml?',
  ],
  [
    'an empty scenario',
    ['run', 'DIR/empty.yaml'],
    'E_SCENARIO: DIR/empty.yaml: expected a scenario, found an empty file',
  ],
  [
    'a binary file as a scenario',
    ['run', 'DIR/noise.yaml'],
    'E_SCENARIO: DIR/noise.yaml: expected a scenario, found a binary file',
  ],
  ['a folder as a scenario', ['run', 'DIR/folder'], 'E_READ: DIR/folder: it is a directory'],
  [
    'a scenario with a tab',
    ['run', 'DIR/tabs.yaml'],
    'E_YAML: DIR/tabs.yaml:2:1: Tabs are not allowed as indentation',
  ],
  [
    'a key of a device',
    ['run', 'DIR/typo.yaml'],
    'E_UNKNOWN_KEY: DIR/typo.yaml:3:56, machine.devices.0.dmaMsk: unknown key "dmaMsk"; expected name, dmaMask, bar, iommu; did you mean dmaMask?',
  ],
  [
    'a hunk in a series',
    ['run', '--series', 'DIR/series.yaml'],
    'E_HUNK: DIR/series.yaml:4:11, without[0]: there is no such hunk or patch at this stage; expected 09/bootdata, 09/initrd, found 09/initr; did you mean 09/initrd?',
  ],
  [
    'a key of a series',
    ['run', '--series', 'DIR/series-key.yaml'],
    'E_SERIES: DIR/series-key.yaml:4:1, wihtout: unknown key "wihtout"; expected name, title, source, stage, activate, without, stub, neutral, with; did you mean without?',
  ],
  [
    'a scenario as a kernel',
    ['run', '--kernel', 'DIR/machine.yaml'],
    'E_NOT_A_KERNEL: machine.yaml, offset 0x0: expected a bzImage, an ELF vmlinux or a UKI for x86-64, found a file that starts with 6e 61 6d 65',
  ],
  [
    'a folder as an initrd',
    ['run', '--initrd', 'DIR/folder'],
    'E_READ: DIR/folder: it is a directory',
  ],
  [
    'a file that does not exist as a kernel',
    ['run', '--kernel', 'DIR/vmlinux'],
    'E_READ: DIR/vmlinux: no such file; did you mean DIR/vmlinuz?',
  ],
  [
    'a key of a match file',
    ['trace', 'DIR/match-key.yaml'],
    'E_EXPECTATION: DIR/match-key.yaml:2:7, run.senario: unknown key "senario"; expected one of 20 keys; did you mean scenario?',
  ],
  [
    'a kind of event in a match file',
    ['trace', 'DIR/match-kind.yaml'],
    'E_EXPECTATION: DIR/match-kind.yaml:3:18, match[0].expect: expected one kind of event in a pattern, of enter, cpuid, rdmsr, wrmsr, cr, map, unmap, protect, tlb-flush, cache-flush, copy, fill, encrypt, decrypt, dma, ipi, vmrun, vmexit, console, read, fault, panic, outcome, found encript; did you mean encrypt?',
  ],
  [
    'a field in a match file',
    ['trace', 'DIR/match-field.yaml'],
    'E_EXPECTATION: DIR/match-field.yaml:3:28, match[0].expect.tabel: unknown key "tabel"; expected one of value, table, C, cpu, in, file, patch, hunk, n; did you mean table?',
  ],
  [
    'a directive of a match file',
    ['trace', 'DIR/match-word.yaml'],
    'E_EXPECTATION: DIR/match-word.yaml:3:9, match[0]: expected one of expect, next, not, any-order, count, report, found expct; did you mean expect?',
  ],
  [
    'an outcome in a match file',
    ['trace', 'DIR/match-outcome.yaml'],
    'E_EXPECTATION: DIR/match-outcome.yaml:3:17, outcome.kind: expected booted or panic or triple-fault or hung, found "bootd"; did you mean booted?',
  ],
  [
    'a label of a call script',
    ['probe', 'DIR/probe-label.yaml'],
    'E_LABEL: DIR/probe-label.yaml:4:5, at: no such label; expected a label of "sme-boot list labels", found startup_64:swich; did you mean startup_64:switch?',
  ],
  [
    'a function of a call script',
    ['probe', 'DIR/probe-call.yaml'],
    'E_PROBE_FUNCTION: DIR/probe-call.yaml:5:16, calls[0].call: neither the base kernel nor a patch has this function; found early_memremap_de; did you mean early_memremap_dec?',
  ],
  [
    'a key of a call script',
    ['probe', 'DIR/probe-key.yaml'],
    'E_PROBE: DIR/probe-key.yaml:3:1, scenaro: unknown key "scenaro"; expected probe, patch, scenario, at, set, calls; did you mean scenario?',
  ],
  [
    'a report that is none',
    ['matrix', 'merge', 'DIR/report.json'],
    'E_MATRIX: DIR/report.json:1:1, scenarios: expected a list, found nothing',
  ],
  [
    'an option of matrix for merge',
    ['matrix', '--jobs', '2', 'merge', 'DIR/report.json'],
    'E_USAGE: matrix: "matrix merge" boots nothing: --jobs would have no effect; expected no options but --format, --output, found --jobs',
  ],
  [
    'a folder without call scripts',
    ['probe', 'DIR/folder'],
    'E_NOTHING: DIR/folder: no call script found',
  ],
  [
    'a folder without traces',
    ['check', 'DIR/folder'],
    'E_NOTHING: DIR/folder: no expected trace found',
  ],
  [
    'a kernel image as a log',
    ['scenario', 'from-dmesg', 'DIR/vmlinuz'],
    'E_DMESG: DIR/vmlinuz: the log has no memory map; expected lines like "BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] usable", found 0 of them',
  ],
  [
    'a trace file',
    ['trace', 'traces/bios-minimal/stage-0.yaml'],
    'E_READ: traces/bios-minimal/stage-0.yaml: no such file; did you mean traces/bios-minimal/stage-00.yaml or traces/bios-minimal/stage-01.yaml or traces/bios-minimal/stage-02.yaml?',
  ],
];

describe('a mistake on the command line', () => {
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'sme-boot-mistakes-'));
    mkdirSync(join(dir, 'folder'));
    for (const [name, text] of Object.entries(FILES)) {
      writeFileSync(join(dir, name), Buffer.from(text, 'latin1'));
    }
  });
  afterAll(() => {
    rmSync(dir, { recursive: true });
  });

  test.each(MISTAKES)('%s: %j', async (_what, argv, message) => {
    const given = argv.map((word) => word.replaceAll('DIR', dir));
    const { status, out, err } = await sme(given);
    const said = err.replaceAll(relative('.', dir), 'DIR').replaceAll(dir, 'DIR');
    expect(said).toBe(`sme-boot: ${message}\n`);
    expect([status, out]).toEqual([2, '']);
  });

  test('is of one of at least sixty kinds, each once', () => {
    const kinds = MISTAKES.map(([what]) => what);
    expect(new Set(kinds).size).toBe(kinds.length);
    expect(kinds.length).toBeGreaterThanOrEqual(60);
  });
});
