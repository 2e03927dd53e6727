import { nodeCipher } from '../../src/node/node-cipher.js';
import { describeAes128 } from '../machine/memory/block-cipher.js';

describeAes128('node:crypto', nodeCipher);
