import { describe, expect, test } from '@jest/globals';
import { readKernelImage } from '../../../src/firmware/image/kernel-image.js';
import { ExecutedTracer } from '../../../src/inspect/executed/tracer.js';
import { nodeCipher } from '../../../src/node/node-cipher.js';
import { ExecutedBoot } from '../../../src/sequencer/executed-boot.js';
import { executedHeader } from '../../../src/sequencer/trace-header.js';
import { traceSchema, type Trace, type TraceEvent } from '../../../src/trace/trace.js';
import { elf } from '../../cli/code-image.js';
import { scenario, sha256 } from '../../helpers.js';

const hex = (text: string): Uint8Array =>
  Uint8Array.from(Buffer.from(text.replace(/\s/g, ''), 'hex'));
const PML4 = '0x70000';

/**
 * mov rsp, STACK; mov eax, 0x8000001f; cpuid; mov ecx, EFER; rdmsr; or eax, 1 (SCE); wrmsr; mov ecx, GS_BASE; wrmsr;
 * mov rax, cr3; mov cr3, rax, twice; wbinvd; invlpg [0x1000]; call start_kernel
 */
const MAIN = `48c7c4f01f0001 b81f000080 0fa2 b9800000c0 0f32 83c801 0f30 b9010100c0 0f30
  0f20d8 0f22d8 0f22d8 0f09 0f013c2500100000`;
/**
 * Sets the C-bit in the entry of the second 2 MiB: mov rbx, cr3; mov rax, [0x72008]; bts rax, 47; mov [0x72008], rax;
 * mov cr3, rbx. Then prints `x` and a new line; wbinvd; hlt.
 */
const NEXT = `0f20db 488b042508200700 480fbae82f 4889042508200700 0f22db
  baf8030000 b078ee b00aee 0f09 f4`;

function traced(main = MAIN, next = NEXT): Trace {
  const code = hex(`${main} e801000000 f4 ${next}`);
  const at = code.length - hex(next).length;
  const symbols = { _text: 0, start_kernel: at, _end: 0x2000 };
  const image = readKernelImage(elf(code, symbols), { file: 'test' });
  const options = { scenario: scenario('firmware-syscfg'), image, cipher: nodeCipher };
  const boot = new ExecutedBoot(options);
  const header = executedHeader(options, { scenarioDigest: 'test' });
  const tracer = new ExecutedTracer(boot, header);
  boot.runToEnd();
  return tracer.finish(sha256);
}

const eventsOf = (trace: Trace, label: string): readonly TraceEvent[] =>
  trace.steps.find((step) => step.label === label)?.events ?? [];

describe('the trace of an executed boot', () => {
  const trace = traced();

  test('has the form of any trace, and says that the image was executed', () => {
    expect(traceSchema.safeParse(trace).error).toBeUndefined();
    expect(trace.header).toMatchObject({
      execute: true,
      stage: 0,
      sanitize: false,
      image: { name: 'test' },
    });
    expect(trace.steps.map(({ label }) => label)).toEqual(['loader', '_text', 'start_kernel']);
  });

  test('has CPUID of SME, MSRs, control registers and flushes by the symbol of the code', () => {
    expect(eventsOf(trace, '_text')).toEqual([
      expect.objectContaining({ cpuid: '0x8000001f', eax: '0x1', in: '_text' }),
      { wrmsr: 'EFER', value: '0x501', in: '_text' },
      { 'tlb-flush': 'cr3', in: '_text', n: 2 },
      { cr: 'CR3', value: PML4, table: 'loader page tables', C: 0, in: '_text', n: 2 },
      { 'cache-flush': 'wbinvd', in: '_text' },
      { 'tlb-flush': 'invlpg', va: '0x1000', in: '_text' },
    ]);
  });

  test('has changed page tables, the console and the outcome under the step', () => {
    expect(eventsOf(trace, 'start_kernel')).toEqual([
      { 'tlb-flush': 'cr3', in: 'start_kernel' },
      { cr: 'CR3', value: PML4, table: 'loader page tables', C: 0, in: 'start_kernel' },
      { console: 'x', in: 'start_kernel' },
      { 'cache-flush': 'wbinvd', in: 'start_kernel' },
      expect.objectContaining({ protect: '0x200000..0x3fffff', C: 1, was: 'RW|G C=0' }),
      expect.objectContaining({ outcome: 'halt', in: 'boot' }),
    ]);
  });

  test('is the same each time', () => {
    expect(traced()).toEqual(trace);
  });
});

test('lines whose key changed are ranges, by the function that wrote them', () => {
  // The C-bit is set in the entry of 2 MiB at 2 MiB: mov qword [0x200000], rax under C=0 and C=1, each written back.
  const store = '4889042500002000 0f09';
  const next = `0f20db 488b042508200700 480fbae82f ${store} 4889042508200700 0f22db ${store} f4`;
  const trace = traced(MAIN, next);
  expect(eventsOf(trace, 'start_kernel')).toContainEqual({
    encrypt: '0x200000..0x20003f',
    bytes: 64,
    in: 'start_kernel',
  });
});

test('a fault is an event, with the address that it is about', () => {
  // mov al, [0xfffffffffffff000], which nothing maps, without an IDT.
  const trace = traced('48c7c4f01f0001', '8a042500f0ffff f4');
  const events = eventsOf(trace, 'start_kernel');
  expect(events[0]).toMatchObject({
    fault: '#PF(0)',
    va: '0xfffffffffffff000',
    in: 'start_kernel',
  });
  expect(trace.outcome.kind).toBe('triple-fault');
});
