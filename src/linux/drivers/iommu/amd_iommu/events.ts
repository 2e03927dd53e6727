/** drivers/iommu/amd_iommu.c, "Interrupt handling functions": printing the IOMMU's event log. */
import { va, type Va } from '../../../../machine/address.js';
import { readl, writel } from './commands.js';
import {
  DEV_TABLE_ENTRY_SIZE,
  EVENT_ENTRY_SIZE,
  EVT_BUFFER_SIZE,
  MMIO,
  MMIO_STATUS_EVT_INT_MASK,
  type AmdIommuInstance,
} from '../amd_iommu_types.js';
import { PAGE_OFFSET } from '../../../../kernel/constants.js';
import { fn, inline, bodies } from '../../../../kernel/table.js';
import type { Kernel } from '../../../../kernel/kernel.js';

declare module '../../../../kernel/table.js' {
  interface Entries {
    dump_dte_entry(k: Kernel, devid: number): void;
    dump_command(k: Kernel, phys: bigint): void;
    iommu_print_event(k: Kernel, iommu: AmdIommuInstance, event: Va): void;
    iommu_poll_events(k: Kernel, iommu: AmdIommuInstance): void;
    amd_iommu_int_thread(k: Kernel, iommu: AmdIommuInstance): void;
  }
}

const digits = (value: number | bigint, width: number): string =>
  value.toString(16).padStart(width, '0');
/** A device id in lspci's form, bus:device.function. */
export const bdf = (devid: number): string =>
  `${digits(devid >> 8, 2)}:${digits((devid >> 3) & 0x1f, 2)}.${digits(devid & 7, 1)}`;

/** Fields of a log entry that the driver reads. */
interface Logged {
  readonly devid: number;
  readonly domid: number;
  readonly flags: number;
  readonly address: bigint;
}

const device = ({ devid }: Logged): string => `device=${bdf(devid)}`;
const domain = ({ domid }: Logged): string => `domain=0x${digits(domid, 4)}`;
const address = ({ address: at }: Logged): string => `address=0x${digits(at, 16)}`;
const flags = ({ flags: bits }: Logged): string => `flags=0x${digits(bits, 4)}`;

interface EventRow {
  readonly name: string;
  readonly fields: readonly ((event: Logged) => string)[];
  readonly after?: (k: Kernel, event: Logged) => void;
}

/** Printed form of each event type. */
const EVENTS: Readonly<Record<number, EventRow>> = {
  1: {
    name: 'ILLEGAL_DEV_TABLE_ENTRY',
    fields: [device, address, flags],
    after: (k, { devid }) => {
      k.fn.dump_dte_entry(devid);
    },
  },
  2: { name: 'IO_PAGE_FAULT', fields: [device, domain, address, flags] },
  3: { name: 'DEV_TAB_HARDWARE_ERROR', fields: [device, address, flags] },
  4: { name: 'PAGE_TAB_HARDWARE_ERROR', fields: [device, domain, address, flags] },
  5: {
    name: 'ILLEGAL_COMMAND_ERROR',
    fields: [address],
    after: (k, event) => {
      k.fn.dump_command(event.address);
    },
  },
  6: { name: 'COMMAND_HARDWARE_ERROR', fields: [address, flags] },
  7: { name: 'IOTLB_INV_TIMEOUT', fields: [device, address] },
  8: { name: 'INVALID_DEVICE_REQUEST', fields: [device, address, flags] },
};

export const amdIommuEvent = bodies({
  dump_dte_entry: inline((k: Kernel, devid: number) => {
    const table = Number(BigInt.asIntN(64, k.readU64(k.sym('amd_iommu_dev_table'))));
    for (let i = 0; i < 4; i++) {
      const value = k.readU64(va(table + devid * DEV_TABLE_ENTRY_SIZE + i * 8));
      k.fn.printk(`AMD-Vi: DTE[${String(i)}]: ${digits(value, 16)}`);
    }
  }),
  dump_command: inline((k: Kernel, phys: bigint) => {
    // phys_to_virt() of the event's address, unchecked.
    const at = k.canonical(BigInt.asUintN(64, phys + BigInt(PAGE_OFFSET)));
    for (let i = 0; i < 4; i++) {
      const word = digits(k.readU32(va(at + i * 4)), 8);
      k.fn.printk(`AMD-Vi: CMD[${String(i)}]: ${word}`);
    }
  }),

  iommu_print_event: fn((k: Kernel, _iommu: AmdIommuInstance, event: Va) => {
    const [w0, w1, w2, w3] = [0, 4, 8, 12].map((offset) => BigInt(k.readU32(va(event + offset))));
    const second = Number(w1 ?? 0n);
    const type = second >>> 28;
    const logged: Logged = {
      devid: Number(w0 ?? 0n) & 0xffff,
      domid: second & 0xffff,
      flags: (second >>> 16) & 0xfff,
      address: ((w3 ?? 0n) << 32n) | (w2 ?? 0n),
    };
    if (type === 0) {
      // The driver polls LOOP_TIMEOUT times; here once, as the model writes an entry before it moves the tail (our choice).
      k.fn.printk('AMD-Vi: No event written to event log');
      return;
    }
    const row = EVENTS[type];
    const text =
      row === undefined
        ? `UNKNOWN type=0x${digits(type, 2)}`
        : [row.name, ...row.fields.map((field) => field(logged))].join(' ');
    k.fn.printk(`AMD-Vi: Event logged [${text}]`);
    row?.after?.(k, logged);
    k.writeBytes(event, new Uint8Array(EVENT_ENTRY_SIZE));
  }, true),

  iommu_poll_events: inline((k: Kernel, iommu: AmdIommuInstance) => {
    let head = readl(k, iommu, MMIO.EVT_HEAD);
    const tail = readl(k, iommu, MMIO.EVT_TAIL);
    while (head !== tail) {
      k.fn.iommu_print_event(iommu, va(iommu.evt_buf + head));
      head = (head + EVENT_ENTRY_SIZE) % EVT_BUFFER_SIZE;
    }
    writel(k, iommu, MMIO.EVT_HEAD, head);
  }),

  amd_iommu_int_thread: fn((k: Kernel, iommu: AmdIommuInstance) => {
    let status = readl(k, iommu, MMIO.STATUS);
    while ((status & MMIO_STATUS_EVT_INT_MASK) !== 0) {
      writel(k, iommu, MMIO.STATUS, MMIO_STATUS_EVT_INT_MASK);
      k.fn.iommu_poll_events(iommu);
      status = readl(k, iommu, MMIO.STATUS);
    }
  }),
});
