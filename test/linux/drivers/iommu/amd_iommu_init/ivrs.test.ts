/** Parsing the IVRS: by the length that its header has at that time, entry by entry. */
import { describe, expect, test } from '@jest/globals';
import { ivrs } from '../../../../../src/firmware/acpi/ivrs.js';
import { pa } from '../../../../../src/machine/address.js';
import { exhaustiveTest } from '../../../../cases.js';
import {
  IVRS_HEADER_LENGTH,
  IVHD_HEADER,
} from '../../../../../src/linux/drivers/iommu/amd_iommu_init/ivrs.js';
import type { Boot } from '../../../../../src/sequencer/boot.js';
import { boot, intact, scenario } from '../../../../helpers.js';
import { iommuBoot } from '../amd-iommu-boot.js';

const LENGTH = 4;
const CHECKSUM = 9;

/** A boot whose IVRS is changed in memory, with a corrected checksum. */
function withIvrs(change: (table: Uint8Array) => void): Boot {
  const subject = iommuBoot(17, false);
  const { address, length } = subject.kernel.state.acpi.tables['IVRS'] ?? { address: 0, length: 0 };
  const table = ivrs();
  change(table);
  table[CHECKSUM] = 0;
  table[CHECKSUM] = -table.reduce((sum, byte) => sum + byte, 0) & 0xff;
  expect(table).toHaveLength(length);
  subject.machine.dmaWrite(pa(address), table);
  return subject;
}

describe('an IVRS below 1 MiB, which is read through the direct map', () => {
  const low = (seed: string, stage = 18) =>
    boot({
      scenario: scenario(
        'bios-devices',
        'machine.iommu=true',
        'machine.ram=128MiB',
        `machine.seed="${seed}"`,
      ),
      stage,
    }).run();

  test('is intact without encryption', () => {
    expect(intact(low('s1', 17), 'IVRS')).toBe(true);
  });

  // acpi_tb_init_table_descriptor() has stored the length: the mapping is right, the bytes read are noise.
  exhaustiveTest(
    'is mapped with its right length, and refused for its checksum, with encryption on',
    () => {
      const trace = low('sme-boot');
      expect(intact(trace, 'IVRS')).toBe(false);
      expect(trace.outcome.kind).toBe('booted');
      expect(JSON.stringify(trace.steps)).not.toMatch(/ioremap on RAM|Found IOMMU/);
    },
  );

  // find_last_devid_acpi() sums as many bytes as the length read from the header, which is noise.
  exhaustiveTest('causes a panic if the noise read as its length exceeds RAM', () => {
    const trace = low('s1');
    expect(trace.outcome).toMatchObject({ kind: 'panic', where: 'page_fault' });
    expect(trace.outcome.message).toMatch(/at 0xffff880008000000/);
  });
});

describe('the entries of an IVRS', () => {
  const at = IVRS_HEADER_LENGTH + IVHD_HEADER.size;
  const SPECIAL = 0x48;

  test('are all used if they are valid', () => {
    const subject = withIvrs(() => undefined);
    subject.runTo('pci_iommu_init');
    expect(subject.kernel.state.amdIommu.iommus).toHaveLength(1);
    expect(subject.kernel.state.amdIommu.init_state).toBe('IOMMU_INITIALIZED');
  });

  test('before an unknown special device take effect, although the IVRS is refused', () => {
    const subject = withIvrs((table) => {
      const special = table.indexOf(SPECIAL, at);
      expect(special).toBeGreaterThan(at);
      table[special + 7] = 9;
    });
    subject.runTo('pci_iommu_init');
    const { iommus, init_state } = subject.kernel.state.amdIommu;
    expect([iommus.length, init_state]).toEqual([1, 'IOMMU_INIT_ERROR']);
  });

  test('of a block of length 0 hang the kernel', () => {
    const subject = withIvrs((table) => {
      table.fill(
        0,
        IVRS_HEADER_LENGTH + IVHD_HEADER.length,
        IVRS_HEADER_LENGTH + IVHD_HEADER.devid,
      );
    });
    expect(subject.run().outcome).toMatchObject({ kind: 'hung', where: 'early_amd_iommu_init' });
  });

  test('end at the length in the header in memory, not at the one stored when the table was found', () => {
    const subject = withIvrs((table) => {
      new DataView(table.buffer).setUint32(LENGTH, IVRS_HEADER_LENGTH, true);
      table.fill(0, IVRS_HEADER_LENGTH);
    });
    subject.runTo('pci_iommu_init');
    expect(subject.kernel.state.amdIommu.iommus).toEqual([]);
  });
});
