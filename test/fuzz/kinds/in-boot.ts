/** What the kernel itself reads from memory in a boot: command lines, the setup_data chain, device trees. */
import fc from 'fast-check';
import { commandLineBytes, LOADER_LAYOUT } from '../../../src/firmware/loader.js';
import { decodeUtf8 } from '../../../src/base/utf8.js';
import { LIMITS } from '../../../src/base/limits.js';
import { InputError } from '../../../src/base/errors.js';
import { SETUP_DATA } from '../../../src/firmware/efi/layout.js';
import { FDT_HEADER, writeFdt, type FdtNode, type FdtValue } from '../../../src/firmware/fdt.js';
import { withoutEffect } from '../../../src/linux/options/options.js';
import { notModelled } from '../../../src/series/options.js';
import { pa } from '../../../src/machine/address.js';
import { nodeCipher } from '../../../src/node/node-cipher.js';
import { parseScenarioText } from '../../../src/lib/scenario.js';
import { Boot, type BootSnapshot } from '../../../src/sequencer/boot.js';
import type { Outcome, TraceEvent } from '../../../src/trace/trace.js';
import { mutated, oneOf, type Field } from '../bytes.js';
import { verify, type Kind } from '../kind.js';
import { sampleBytes, sampleText } from '../samples.js';
import { concat } from '../../firmware/image/build.js';
import { mutatedText } from '../text.js';
import { sha256 } from '../../sha256.js';

/** A boot of the base kernel that is stopped before a step, and resumed for each input. */
class Stopped {
  private started: { boot: Boot; snapshot: BootSnapshot } | undefined;

  /** @param before the label of the first step to run; @param to that of the last one. */
  constructor(
    private readonly before: string,
    private readonly to: string,
  ) {}

  /** Runs the steps with memory changed first; returns their events. */
  run(change: (boot: Boot) => void): TraceEvent[] {
    this.started ??= this.start();
    const { boot, snapshot } = this.started;
    boot.restore(snapshot);
    change(boot);
    boot.runTo(this.to);
    const { labels, recorder } = boot;
    const steps = labels.slice(labels.indexOf(this.before), labels.indexOf(this.to) + 1);
    return steps.flatMap((label) => [...recorder.eventsOf(label)]);
  }

  /** How the boot ended within the steps; null: it did not. */
  get outcome(): Outcome | null {
    return this.started?.boot.outcome ?? null;
  }

  private start(): { boot: Boot; snapshot: BootSnapshot } {
    const file = 'scenarios/bios-minimal.yaml';
    const { scenario, digest } = parseScenarioText(file, sampleText(file), {
      'loader.deviceTree': true,
    });
    const boot = new Boot({
      scenario,
      scenarioDigest: digest,
      stage: 0,
      activate: false,
      deviceTree: new Uint8Array(TREE_ROOM),
      cipher: nodeCipher,
      digest: sha256,
    });
    boot.runTo(boot.labels[boot.labels.indexOf(this.before) - 1] ?? '');
    return { boot, snapshot: boot.snapshot() };
  }
}

/** Bytes of the node that the trees are written to. */
const TREE_ROOM = 0x4000;

/** Writes to memory as a loader does: in plain text, past the caches. */
function poke(boot: Boot, at: number, bytes: Uint8Array): void {
  for (const cpu of boot.machine.cpus) cpu.wbinvd();
  boot.machine.dmaWrite(pa(at), bytes);
}

const NODES = ['cpus', 'cpu@0', 'soc', '__proto__', 'constructor', 'n', 'memory@0', ''];
const value: fc.Arbitrary<FdtValue> = fc.oneof(
  fc.constantFrom('simple-bus', 'acme,leaf', '', '\u001b[2J'),
  fc.constant(null),
  fc.array(fc.nat(0xffff_ffff), { maxLength: 3 }),
  fc.uint8Array({ maxLength: 9 }),
);
const properties = fc
  .array(
    fc.tuple(
      fc.constantFrom(
        'compatible',
        'reg',
        'phandle',
        'linux,phandle',
        'name',
        'device_type',
        '__proto__',
        'toString',
      ),
      value,
    ),
    { maxLength: 4 },
  )
  .map((list) => Object.fromEntries(list.filter(([name]) => name !== '__proto__')));

/** Trees of at most three levels, in some of them under nodes nested deep. */
const trees = fc
  .record({
    root: properties,
    children: fc.array(fc.tuple(fc.constantFrom(...NODES), properties, fc.nat(3)), {
      maxLength: 5,
    }),
    depth: fc.constantFrom(0, 0, 0, 3, 60, 70),
  })
  .map(({ root, children, depth }) => {
    let tree: FdtNode = {
      name: '',
      properties: root,
      children: children.map(([name, own, copies]) => ({
        name,
        properties: own,
        children: Array.from({ length: copies }, (_, i) => ({
          name: `n@${String(i)}`,
          properties: own,
        })),
      })),
    };
    for (let i = 0; i < depth; i++)
      tree = { name: i === depth - 1 ? '' : 'n', properties: {}, children: [tree] };
    return writeFdt(tree);
  });

const { magic, size: headerSize, ...offsets } = FDT_HEADER;
const TREE_FIELDS: readonly Field[] = [
  magic,
  ...Object.values(offsets),
  headerSize + 16,
  headerSize + 24,
  headerSize + 28,
].map((at) => ({ at, width: 4, big: true }));

const dtbBoot = new Stopped('x86_dtb_init', 'x86_dtb_init');

export const deviceTree: Kind = {
  name: 'device-tree',
  what: 'flattened device trees, unflattened by the kernel',
  ext: 'bin',
  inputs: 2000,
  share: 1,
  arbitrary: mutated(
    fc.oneof(
      { weight: 6, arbitrary: trees },
      {
        weight: 1,
        arbitrary: oneOf(
          ['board', 'values', 'built-in'].map((name) =>
            sampleBytes(`test/fixtures/dtc/${name}.dtb`),
          ),
        ),
      },
    ),
    { fields: TREE_FIELDS, mutated: 6, most: 2 },
  ),
  read(bytes) {
    if (bytes.length > TREE_ROOM) {
      throw new InputError({
        code: LIMITS.deviceTree.code,
        place: { file: 'tree.dtb' },
        found: String(bytes.length),
      });
    }
    const tree = new Uint8Array(TREE_ROOM);
    tree.set(bytes);
    const events = dtbBoot.run((boot) => {
      const [node] = boot.loaded.setupData;
      poke(boot, (node?.at ?? 0) + SETUP_DATA.data, tree);
    });
    return events.some((event) => event.read === 'device tree');
  },
};

/** Distance of the nodes of a chain: each in a page of its own. */
const STRIDE = 0x1000;
const NODE_HEAD = SETUP_DATA.data;

/** Nodes of a chain, as an array of headers with some data: `next` as an index of a node, the type, the length. */
const chains = fc
  .array(
    fc.record({
      next: fc.nat(12),
      type: fc.constantFrom(0, 1, 1, 2, 3, 4, 5, 0x8000_0000),
      len: fc.constantFrom(0, 1, 20, 40, 4096, 0xffff_ffff),
      data: fc.uint8Array({ maxLength: 40 }),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map((nodes) =>
    concat(
      ...nodes.map(({ next, type, len, data }, index) => {
        const bytes = new Uint8Array(NODE_HEAD + 40);
        const view = new DataView(bytes.buffer);
        // Most chains end; some go to a node before, or past the last one.
        const following = index + 1 < nodes.length ? index + 2 : 0;
        const after = next === 0 ? 1 + (len % 8) : following;
        view.setBigUint64(SETUP_DATA.next, BigInt(after), true);
        view.setUint32(SETUP_DATA.type, type, true);
        view.setUint32(SETUP_DATA.len, len, true);
        bytes.set(data, NODE_HEAD);
        return bytes;
      }),
    ),
  );

const chainBoot = new Stopped('parse_setup_data', 'parse_setup_data');
const NODE = NODE_HEAD + 40;

export const setupData: Kind = {
  name: 'setup-data',
  what: 'setup_data chains, walked by the kernel',
  ext: 'bin',
  inputs: 2000,
  share: 1,
  arbitrary: mutated(chains, {
    fields: [0, NODE].flatMap((at) => [
      { at: at + SETUP_DATA.next, width: 8 } as const,
      { at: at + SETUP_DATA.type, width: 4 } as const,
      { at: at + SETUP_DATA.len, width: 4 } as const,
    ]),
    mutated: 6,
    most: 2,
  }),
  read(bytes) {
    chainBoot.run((boot) => {
      const [first] = boot.loaded.setupData;
      const base = first?.at ?? 0;
      for (
        let at = 0, index = 0;
        at + NODE_HEAD <= bytes.length && index < 8;
        at += NODE, index++
      ) {
        const node = bytes.slice(at, at + NODE);
        const view = new DataView(node.buffer);
        const next = view.getBigUint64(SETUP_DATA.next, true);
        // 1 to 8 name a node; anything else is an address.
        if (next > 0n && next <= 8n)
          view.setBigUint64(SETUP_DATA.next, BigInt(base) + (next - 1n) * BigInt(STRIDE), true);
        poke(boot, base + index * STRIDE, node);
      }
    });
    return chainBoot.outcome === null;
  },
};

const OPTIONS = [
  'mem_encrypt=on',
  'mem_encrypt=off',
  'mem=512M',
  'mem=',
  'memmap=64K$0x7000000',
  'memmap=exactmap',
  'iommu=off',
  'amd_iommu=off',
  'nosmp',
  'maxcpus=1',
  'efi=debug',
  'noefi',
  'nopat',
  'swiotlb=65536,force',
  'console=ttyS0,115200n8',
  'quiet',
  'root=/dev/sda1',
  '--',
  'a.b=c',
  'loop.max_loop=8',
  'earlyprintk=vga',
  'crashkernel=64M@16M',
  '"quoted value"',
  'x="a b"',
  '=',
  'init=/bin/sh',
  'vga=0x317',
  'nx=off',
  'toString',
  '__proto__=1',
];
const lines = fc
  .array(fc.constantFrom(...OPTIONS), { maxLength: 8 })
  .map((words) => words.join(' '));

const lineBoot = new Stopped('copy_bootdata', 'parse_setup_data');

export const cmdline: Kind = {
  name: 'cmdline',
  what: 'kernel command lines, parsed by the kernel up to parse_early_param()',
  ext: 'txt',
  inputs: 1000,
  share: 1,
  placeless: true,
  arbitrary: mutatedText(lines, { mutated: 7 }),
  read(bytes) {
    const text = decodeUtf8('cmdline', bytes);
    const buffer = commandLineBytes(text);
    const named = new Set(notModelled(text).map(({ option }) => option));
    for (const { option } of withoutEffect(text))
      verify(!named.has(option), `${option} is both not modelled and without effect`);
    lineBoot.run((boot) => {
      poke(boot, LOADER_LAYOUT.cmdline, buffer);
    });
    return lineBoot.outcome === null;
  },
};
