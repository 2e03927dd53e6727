import { describe, expect, test } from '@jest/globals';
import { nodeCipher } from '../../src/node/node-cipher.js';
import { readKernelImage } from '../../src/firmware/image/kernel-image.js';
import { ExecutedBoot } from '../../src/sequencer/executed-boot.js';
import { elf, program } from '../cli/code-image.js';
import { scenario } from '../helpers.js';

function boot({ code, symbols } = program()): ExecutedBoot {
  const image = readKernelImage(elf(code, symbols), { file: 'test' });
  return new ExecutedBoot({ scenario: scenario(), image, cipher: nodeCipher });
}

/** mov rsp, STACK; call f (or g); hlt; f: dec eax; jz +5; call f; ret */
const RECURSIVE = {
  code: Uint8Array.from(
    Buffer.from(
      '48c7c4f01f0001 b803000000 e801000000 f4 ffc8 7405 e8f7ffffff c3'.replaceAll(' ', ''),
      'hex',
    ),
  ),
  symbols: { _text: 0, f: 18, _end: 0x2000 },
};

describe('a stop at', () => {
  test('the entry of a function is before its first instruction', () => {
    const run = boot();
    expect(run.runTo('put_o')).toMatchObject({ kind: 'breakpoint' });
    expect(run.uart.text).toBe('');
    expect(run.reached('put_o')).toBe(true);
    expect(run.labels).toEqual(['loader', '_text', 'put_o']);
    expect(run.lastLabel).toBe('_text');
  });

  test('the return of a function is after it', () => {
    const run = boot();
    expect(run.runTo('put_o:return')).toMatchObject({ kind: 'breakpoint', at: 0x100_0011 });
    expect(run.uart.text).toBe('o');
  });

  test('the return of a recursive function is that of its first call', () => {
    const run = boot(RECURSIVE);
    expect(run.runTo('f:return')).toMatchObject({ kind: 'breakpoint', at: 0x100_0011 });
    expect(run.executor.core.unsigned(4)).toBe(0x100_1ff0);
  });

  test('a function that is not reached leaves the boot at its end', () => {
    const run = boot();
    expect(run.runTo('never')).toMatchObject({ kind: 'halt' });
    expect(run.reached('never')).toBe(false);
    expect(run.outcome).toMatchObject({ kind: 'halt', where: '_text+0x17' });
    // A boot that has ended does not go on.
    expect(run.runTo('put_o')).toMatchObject({ kind: 'halt' });
  });

  test('a function that the image lacks is refused with a similar name', () => {
    expect(() => boot().runTo('put_p:return')).toThrow(/put_p:return.*put_o/s);
  });
});

test('a function that is entered and has code after its call may return', () => {
  const run = boot();
  const stops = run.stopsAt('put_o:return');
  run.go(stops);
  expect(stops.isInside('put_o:return')).toBe(true);
  expect(stops.neverReturns('put_o:return', run.machine.cpus[0])).toBe(false);
});

test('the machine attributes accesses to the function by its symbol', () => {
  const run = boot();
  run.run();
  const names = ['_text', 'put_o'].map((name) => run.names.origins.intern(name));
  expect(names).toContain(run.machine.origin);
});

test('a boot is the same with and without stops', () => {
  const state = (run: ExecutedBoot): unknown => [
    run.executor.instructions,
    [...run.executor.core.r],
  ];
  const plain = boot();
  plain.run();
  const stopped = boot();
  stopped.runTo('put_o');
  stopped.runTo('never:return');
  expect(state(stopped)).toEqual(state(plain));
});
