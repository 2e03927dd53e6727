/** The fragment of the viewer's address, which anybody can send. */
import fc from 'fast-check';
import { decodeUtf8 } from '../../../src/base/utf8.js';
import { LAST_STAGE } from '../../../src/series/patches.js';
import { addressOf, fragmentOf } from '../../../src/view/choice.js';
import { verifySame, type Kind } from '../kind.js';
import { mutatedText } from '../text.js';
import { INITIAL } from '../../view/initial-address.js';

const FILE = 'address';

const FRAGMENTS = [
  '',
  'stage=8&activate=1',
  'scenario=bios-minimal&without=09%2Finitrd%2C10&stub=1',
  'set=%5B%22machine.ram%3D4GiB%22%5D&at=startup_64%3Aphys_base&panel=memory',
  'place=0x1000000&layer=cache&map=0x0+0x80000000&filter=in%3Dsme_enable',
  'execute=1&entry=decompressor&until=console_init&most=1000000',
  'with=10%2Fkexec-plain&panel=exposure&place=initrd',
];

export const address: Kind = {
  name: 'address',
  what: "fragments of the viewer's address",
  ext: 'txt',
  inputs: 2000,
  share: 1,
  arbitrary: mutatedText(fc.constantFrom(...FRAGMENTS), { mutated: 8, most: 3 }),
  read(bytes) {
    const { unread, ...given } = addressOf(decodeUtf8(FILE, bytes), INITIAL, LAST_STAGE);
    const again = addressOf(fragmentOf(given, INITIAL), INITIAL, LAST_STAGE);
    verifySame(again, { ...given, unread: [] }, 'written and read again');
    return unread.length === 0;
  },
};
