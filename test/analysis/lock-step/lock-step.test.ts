import { describe, expect, test } from '@jest/globals';
import {
  lockStep,
  type LockStep,
  type LockStepOptions,
} from '../../../src/analysis/lock-step/lock-step.js';
import { pa } from '../../../src/machine/address.js';
import { boot, scenario } from '../../helpers.js';
import { address, image, LABEL, type Mistakes } from './image.js';

const KERNEL_AT = 0x200_0000;
const physical = (name: string, offset: number): number =>
  pa(address(name) - address('_text') + KERNEL_AT + offset);

function run(mistakes?: Mistakes, options: LockStepOptions = {}): LockStep {
  const made = boot({
    scenario: scenario('bios-minimal', `loader.kernelAt=${String(KERNEL_AT)}`),
    image: image(mistakes),
    stage: 0,
  });
  return lockStep(made, { at: LABEL, maxInstructions: 1000, ...options });
}

/** The return address of verify_cpu, whose call site is the model's own choice. */
const RETURN_ADDRESS = {
  at: physical('init_thread_union', 0x3ff0),
  symbol: 'init_thread_union+0x3ff0',
  returnsTo: 'startup_64',
};

test('an image that does what the model does has no difference but a return address', () => {
  const { end, outcome, instructions, compared } = run();
  expect([end.kind, outcome, instructions]).toEqual(['breakpoint', null, 14]);
  expect(compared).toMatchObject({ registers: [], writes: [], memory: [RETURN_ADDRESS] });
  expect(compared?.memory).toHaveLength(1);
});

describe('what differs is listed, and nothing else', () => {
  test('a store to another place: both places, with the bytes of each', () => {
    const { compared } = run({ fixmapEntry: 505 });
    // The load offset 0x1000000 is byte 3 of an entry; entry 505 is empty.
    expect(compared).toMatchObject({
      registers: [],
      writes: [],
      memory: [
        {
          at: physical('level2_fixmap_pgt', 505 * 8 + 3),
          symbol: 'level2_fixmap_pgt+0xfcb',
          image: Uint8Array.of(1),
          model: Uint8Array.of(0),
        },
        {
          at: physical('level2_fixmap_pgt', 506 * 8 + 3),
          symbol: 'level2_fixmap_pgt+0xfd3',
          image: Uint8Array.of(1),
          model: Uint8Array.of(2),
        },
        RETURN_ADDRESS,
      ],
    });
    expect(compared?.memory).toHaveLength(3);
  });

  test('a write of an MSR, and the register after it', () => {
    // mov ecx, FS_BASE; mov eax, 0x1000; xor edx, edx; wrmsr
    const { compared } = run({ extra: 'b9 00 01 00 c0 b8 00 10 00 00 31 d2 0f 30' });
    expect(compared).toMatchObject({
      registers: [{ name: 'MSR FS_BASE', image: '0x1000', model: '0x0' }],
      writes: [{ by: 'image', number: 1, what: 'FS_BASE := 0x1000' }],
      memory: [RETURN_ADDRESS],
    });
  });

  test('a write of a control register that changes nothing', () => {
    // mov rax, cr4; mov cr4, rax
    const { compared } = run({ extra: '0f 20 e0 0f 22 e0' });
    expect(compared).toMatchObject({
      registers: [],
      writes: [{ by: 'image', number: 1, what: 'CR4 := 0x20' }],
    });
  });

  test('the stack pointer, and bytes under another key', () => {
    const { compared } = run({ extra: '53' });
    expect(compared?.registers).toEqual([
      { name: 'RSP', image: expect.any(String), model: expect.any(String) },
    ]);
    expect(compared?.memory.map(({ symbol }) => symbol)).not.toContain(undefined);
  });
});

describe('an image that does not come to the label', () => {
  test.each([
    ['halts', 'f4', 'halt'],
    ['runs on', 'eb fe', 'limit'],
    ['does what is not modelled', 'd9 fe', 'not-modelled'],
    ['faults without an IDT', '0f 0b', 'triple-fault'],
  ])('%s: its end is told, and nothing compared', (_name, extra, kind) => {
    const { end, compared } = run({ extra });
    expect([end.kind, compared]).toEqual([kind, undefined]);
  });

  test('nor does the model: with a triple fault of both they are compared, RIP as well', () => {
    // ud2; the posted routine, above 4 GiB, is not mapped by its own tables.
    const made = boot({
      scenario: scenario('kernel-above-4gib'),
      image: image({ extra: '0f 0b' }),
    });
    const { end, outcome, compared } = lockStep(made);
    expect([end.kind, outcome?.kind]).toEqual(['triple-fault', 'triple-fault']);
    expect(compared?.registers).toContainEqual({
      name: 'RIP',
      image: '0x140000036',
      model: expect.stringMatching(/003$/),
    });
    expect(compared?.writes).toContainEqual(expect.objectContaining({ by: 'model' }));
  });

  test('has no symbol of that name', () => {
    expect(() => run({}, { at: 'startup_64:switch' })).toThrow(
      'own.elf: the image has no symbol "startup_64:switch"',
    );
  });

  test('or the model has no such label', () => {
    expect(() => run({}, { at: 'nowhere' })).toThrow('nowhere');
  });
});
