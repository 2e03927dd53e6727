import { beforeAll, describe, expect, test } from '@jest/globals';
import { KEY_HOST, KEY_PLAIN, pa, va } from '../../../../../src/machine/address.js';
import { STATUS } from '../../../../../src/machine/iommu/amd-iommu-registers.js';
import type { IommuEvent } from '../../../../../src/machine/iommu/amd-iommu-events.js';
import type { Boot } from '../../../../../src/sequencer/boot.js';
import type { Trace } from '../../../../../src/trace/trace.js';
import { intact } from '../../../../helpers.js';
import { consoleOf, iommuBoot, iommuOf } from '../amd-iommu-boot.js';

const TIMED_OUT = 'AMD-Vi: Completion-Wait loop timed out';
const NIC = ['nic to device', 'nic from device', 'nic coherent to device', 'nic sg from device'];

describe('without encryption', () => {
  let booted: Boot;
  let trace: Trace;
  beforeAll(() => {
    booted = iommuBoot(18, false, 'cmdline="console=tty0"');
    trace = booted.run();
  });

  test('the IOMMU is found and enabled, and translates the device’s DMA', () => {
    expect(trace.outcome.kind).toBe('booted');
    expect(consoleOf(trace, 'pci_iommu_init').map(([text]) => text)).toEqual([
      'AMD-Vi: Found IOMMU at 0000:00:00.2 cap 0x40',
      'AMD-Vi:  Extended features: IA',
      'AMD-Vi: Interrupt remapping enabled',
      'AMD-Vi: Lazy IO/TLB flushing enabled',
    ]);
    expect(NIC.map((name) => intact(trace, name))).toEqual(NIC.map(() => true));
    expect(intact(trace, 'IVRS')).toBe(true);
  });

  test('the IOMMU has executed all commands, none of them illegal', () => {
    const { registers } = iommuOf(booted);
    expect(registers.get('CommandBufferHead')).toBe(registers.get('CommandBufferTail'));
    expect(registers.get('EventLogTail')).toBe(0n);
    expect(registers.get('Status')).toBe(STATUS.CmdBufRun | STATUS.EventLogRun);
  });
});

describe.each([
  [13, true],
  [14, true],
  [17, true],
  [18, false],
])('with encryption at stage %i (activated: %s)', (stage, activate) => {
  let booted: Boot;
  let trace: Trace;
  const logged: { event: IommuEvent; plain: Uint8Array; host: Uint8Array }[] = [];
  beforeAll(() => {
    booted = iommuBoot(stage, activate);
    booted.machine.probes.iommuEvent.listen((event, bus) => {
      const at = pa(Number(bus));
      const [plain, host] = [KEY_PLAIN, KEY_HOST].map((key) => booted.machine.dmaRead(at, 16, key));
      if (plain !== undefined && host !== undefined) logged.push({ event, plain, host });
    });
    trace = booted.run();
  });

  test('no register carries the mask', () => {
    const { registers } = iommuOf(booted);
    for (const name of ['DeviceTableBase', 'CommandBufferBase', 'EventLogBase'] as const) {
      expect(registers.get(name) & (1n << 47n)).toBe(0n);
    }
  });

  test('the IOMMU reads ciphertext as its first command and stops', () => {
    const { registers } = iommuOf(booted);
    const base = registers.get('CommandBufferBase') & ((1n << 52n) - 1n);
    expect(logged[0]?.event).toMatchObject({ name: 'ILLEGAL_COMMAND_ERROR', address: base });
    expect(registers.get('Status') & STATUS.CmdBufRun).toBe(0n);
    expect(registers.get('CommandBufferHead')).toBe(0n);
  });

  test('the driver’s waits time out, one for each pass through the ring', () => {
    const waits = consoleOf(trace, 'smp_prepare_cpus').filter(([text]) => text === TIMED_OUT);
    // Three flushes of 65536 commands through a ring of 512, and a wait at the end of each.
    expect(waits.reduce((sum, [, n]) => sum + n, 0)).toBe(3 * (65536 / 512 + 1));
  });

  test('the event is in memory as plaintext, which the driver does not read', () => {
    // The code in bits 63:60; the CPU still has the zeroes that it wrote there with the mask.
    expect((logged[0]?.plain[7] ?? 0) >> 4).toBe(5);
    expect(logged[0]?.host).toEqual(new Uint8Array(16));
    expect(consoleOf(trace, 'pci_iommu_init').map(([text]) => text)).toContain(
      'AMD-Vi: No event written to event log',
    );
  });

  test('the device’s DMA does not transfer the driver’s data', () => {
    expect(NIC.map((name) => intact(trace, name))).toEqual(NIC.map(() => false));
  });

  test('the bounce buffers that the IOMMU made superfluous are freed without the mask', () => {
    // A table that is written there in the clear is garbage to a page walk through a pointer with the mask.
    expect(trace.outcome).toMatchObject({ kind: 'triple-fault', where: 'map_user_pages' });
  });
});

describe('what patch 14 changes', () => {
  const C = 1n << 47n;

  test.each([
    [13, 0n],
    [14, C],
  ])('the entry of a mapped page at stage %i has a mask of %i', (stage, mask) => {
    const booted = iommuBoot(stage, true);
    booted.runTo('pci_iommu_init');
    booted.recorder.step('test');
    const { kernel: k } = booted;
    const dev = k.state.devices[0];
    const domain = k.state.amdIommu.domains[0];
    if (dev === undefined || domain === undefined) throw new Error('no device');
    const page = k.fn.alloc_pages(0, 0);
    const bus = k.fn.dma_map_single(dev, k.__va(page + 0x10), 16, 1);
    expect(bus).toBe(0x1010n);
    const leaf = domain.aperture[0]?.pte_pages[0] ?? 0;
    const pte = k.readU64(va(leaf + 8));
    expect(pte & ((1n << 52n) - 1n) & ~0xfffn).toBe(BigInt(page) | mask);
    // Pointers between tables and the root have none.
    expect(k.readU64(domain.pt_root) & C).toBe(0n);
    const table = k.canonical(k.readU64(k.sym('amd_iommu_dev_table')));
    expect(k.readU64(va(table + dev.devid * 32)) & C).toBe(0n);
    // Nor have pages that are mapped through the IOMMU API.
    expect(k.fn.iommu_map_page(domain, 0x700_0000, BigInt(page), 3)).toBe(0);
    const other = k.fn.fetch_pte(domain, 0x700_0000);
    expect(k.readU64(va(other ?? 0)) & C).toBe(0n);
  });
});
