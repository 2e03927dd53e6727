/** The completion scripts in the shells themselves: their own function completes a line. */
import { chmodSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { inDirectory } from './directory.js';
import { tool, toolText } from './tool.js';

beforeAll(() => {
  tool('npm', ['run', '--silent', 'build']);
}, 60_000);

/** Calls `run` with a folder that has the program under its name. */
function withProgram<T>(run: (folder: string) => T): T {
  return inDirectory((folder) => {
    symlinkSync(resolve('dist/sme-boot.js'), join(folder, 'sme-boot'));
    chmodSync(resolve('dist/sme-boot.js'), 0o755);
    return run(folder);
  });
}

/** The completions that bash has for a line, in COMPREPLY, and the options that the function set. */
function inBash(line: string, words: readonly string[]): string[] {
  return withProgram((folder) => {
    const script = `
      PATH=${folder}:$PATH
      compopt() { echo "compopt $*"; }
      source <(sme-boot completion bash)
      complete -p sme-boot >/dev/null || exit 1
      COMP_LINE=$1 COMP_POINT=\${#1}
      shift
      COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
      _sme_boot
      printf '%s\\n' "\${COMPREPLY[@]}"`;
    const output = toolText('bash', ['--norc', '-c', script, 'bash', line, ...words]);
    return output.trimEnd().split('\n');
  });
}

describe('bash', () => {
  test.each([
    ['sme-boot run bios-m', ['sme-boot', 'run', 'bios-m'], ['compopt -o default', 'bios-minimal']],
    [
      'sme-boot inspect --at startup_64:p',
      ['sme-boot', 'inspect', '--at', 'startup_64', ':', 'p'],
      ['phys_base'],
    ],
    [
      'sme-boot run --set machine.ra',
      ['sme-boot', 'run', '--set', 'machine.ra'],
      ['compopt -o nospace', 'machine.ram='],
    ],
    ['sme-boot list h', ['sme-boot', 'list', 'h'], ['hunks']],
    [
      'sme-boot inspect --mem early_level4',
      ['sme-boot', 'inspect', '--mem', 'early_level4'],
      ['compopt -o nospace', 'early_level4_pgt:'],
    ],
  ])('%s', (line, words, expected) => {
    expect(inBash(line, words).toSorted()).toEqual(expected.toSorted());
  });

  test('completes the line of an interactive shell', () => {
    withProgram((folder) => {
      const rc = join(folder, 'rc');
      writeFileSync(rc, `PATH=${folder}:$PATH\nPS1='> '\nsource <(sme-boot completion bash)\n`);
      // A terminal's TAB: readline completes the words, and the shell runs the line.
      const keys = 'echo sme-boot\nsme-boot sch\tpatc\t > done.json\nexit\n';
      tool('script', ['-qec', `bash --rcfile ${rc} -i`, '/dev/null'], keys, folder);
      const { title } = JSON.parse(toolText('cat', ['done.json'], '', folder)) as { title: string };
      expect(title).toBe('sme-boot patch record');
    });
  }, 60_000);
});

describe('zsh', () => {
  test('accepts the script, and completes a scenario', () => {
    withProgram((folder) => {
      const script = `
        PATH=${folder}:$PATH
        compdef() { true; }
        compadd() { print -l -- "\${@[-1]}"; }
        eval "$(sme-boot completion zsh)"
        words=(sme-boot run bios-m) CURRENT=3 PREFIX=bios-m
        _files() { print files; }
        _sme_boot`;
      expect(toolText('zsh', ['-fc', script])).toBe('bios-minimal\nfiles\n');
    });
  });
});

describe('fish', () => {
  test('accepts the script, and completes a label', () => {
    withProgram((folder) => {
      const script = `
        set -x PATH ${folder} $PATH
        sme-boot completion fish | source
        complete -C 'sme-boot inspect --at startup_64:p'`;
      expect(toolText('fish', ['--no-config', '-c', script])).toBe('startup_64:phys_base\n');
    });
  });
});
