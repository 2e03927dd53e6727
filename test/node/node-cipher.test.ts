import { nodeCipher } from '../../src/node/node-cipher.js';
import { holdToAes128 } from '../machine/memory/block-cipher.js';

holdToAes128('node:crypto', nodeCipher);
