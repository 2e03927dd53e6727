/** A real distribution's kernel image on the machine with all devices and tables, and entered by kexec. */
import { describe, expect, test } from '@jest/globals';
import { KEY_HOST, KEY_PLAIN, pa } from '../../src/machine/address.js';
import { boot, intact, scenario, stateOf } from '../helpers.js';
import { debianKernel, ImageBytes } from './debian-kernel.js';

const image = debianKernel();
const TIME = 60_000;

describe.each([0, 9, 17, 18])("Debian's cloud kernel on epyc-efi at stage %i", (stage) => {
  const options = { scenario: scenario('epyc-efi'), stage };
  const subject = boot({ ...options, image });
  const bytes = new ImageBytes(subject, image);
  const trace = subject.run();
  const builtIn = boot(options).run();
  const encrypted = stage === 18;

  test('ends as the built-in image does', () => {
    expect(trace.outcome).toEqual(builtIn.outcome);
    expect(trace.outcome.kind).toBe('booted');
  });

  test('reads intact what the built-in image reads intact, and garbage where it reads garbage', () => {
    expect(trace.consumed).toEqual(builtIn.consumed);
    expect(trace.consumed.some((consumed) => !consumed.intact)).toBe(encrypted);
  });

  test('starts the other CPUs with the trampoline of the 2016 kernel, not with that in the image', () => {
    expect(trace.header.overlay).toContain('real_mode_blob');
    for (const name of ['trampoline', 'AP 1', 'AP 2', 'AP 3']) {
      expect([name, intact(trace, name)]).toEqual([name, true]);
    }
    expect(stateOf(trace, 'trampoline')).toBe('plaintext');
  });

  test('leaves the EFI regions in the same state as the built-in image does', () => {
    const names = trace.final.regions
      .map(({ name }) => name)
      .filter((name) => /EFI|ACPI/.test(name));
    expect(names.length).toBeGreaterThan(4);
    for (const name of names) expect([name, stateOf(trace, name)]).toEqual([name, 'plaintext']);
    expect(stateOf(trace, 'kernel text')).toBe(encrypted ? 'ciphertext' : 'plaintext');
  });

  test('has every byte of the image that the boot did not write unchanged', () => {
    const key = encrypted ? KEY_HOST : KEY_PLAIN;
    const { machine } = subject;
    expect(
      bytes.differences((address, length) => machine.dmaRead(pa(address), length, key)),
    ).toEqual([]);
    const inDram = (address: number, length: number): Uint8Array =>
      machine.dram.peek(pa(address), length);
    expect(encrypted ? bytes.differencesToCiphertext(inDram) : bytes.differences(inDram)).toEqual(
      [],
    );
  });
});

describe("Debian's cloud kernel by kexec", () => {
  const ending = (stage: number, real: boolean) => {
    const options = { scenario: scenario('kexec'), stage, ...(real && { image }) };
    const { outcome, consumed } = boot(options).run();
    return { outcome, consumed };
  };

  test(
    'is entered by a kernel that does not encrypt, encrypts itself and boots',
    () => {
      const real = ending(17, true);
      expect(real.outcome.kind).toBe('booted');
      expect(real).toEqual(ending(17, false));
    },
    TIME,
  );

  test(
    'is not reached from a kernel that encrypts: the boot ends in relocate_kernel, as with the built-in image',
    () => {
      const { outcome } = ending(18, true);
      const { kind, where } = ending(18, false).outcome;
      expect(outcome).toMatchObject({ kind, where });
      expect(where).toBe('relocate_kernel');
    },
    TIME,
  );
});
