/** The setup_data chain of a scenario's loader. */
import { boardTree } from '../firmware/device-tree.js';
import { SETUP_TYPE } from '../firmware/efi/layout.js';
import { writeFdt } from '../firmware/fdt.js';
import type { SetupDataNode } from '../firmware/setup-data.js';
import type { Scenario } from './scenario.js';

/** The nodes of the chain, in order; `given`: a device tree to pass instead of the built-in one. */
export function setupDataOf({ loader, machine }: Scenario, given?: Uint8Array): SetupDataNode[] {
  if (given === undefined && !loader.deviceTree) return [];
  const tree = given ?? writeFdt(boardTree(machine.cpus));
  return [{ name: 'device tree', type: SETUP_TYPE.DTB, data: tree }];
}
