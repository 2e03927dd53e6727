/** Series by name, of the package or from a file. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readText } from '../node/files.js';
import { STDIN } from '../node/stdin.js';
import { currentName } from '../series/former-names.js';
import { seriesOf, type Series } from '../series/series-file.js';
import { readYaml } from '../base/yaml-source.js';
import { checkKeys, checkText } from './file-kinds.js';
import { packageRoot } from './paths.js';
import { missingFile, unknownName } from './unknown.js';
import { yamlNames } from './yaml-files.js';

const FOLDER = join('patches', 'series');

/** Names of the package's series. */
export function seriesNames(root = packageRoot()): string[] {
  return yamlNames(join(root, FOLDER));
}

/** A series by name, or from a file. Throws E_SERIES_UNKNOWN, and what reading the file throws. */
export function loadSeries(given: string): Series {
  const nameOrFile = currentName(given);
  const isName = nameOrFile !== STDIN && /^[a-z0-9-]+$/.test(nameOrFile);
  const packaged = join(packageRoot(), FOLDER, `${nameOrFile}.yaml`);
  if (isName && !existsSync(packaged)) {
    throw unknownName('E_SERIES_UNKNOWN', nameOrFile, seriesNames());
  }
  if (!isName) missingFile('E_SERIES_UNKNOWN', nameOrFile, seriesNames);
  const file = isName ? `patches/series/${nameOrFile}.yaml` : nameOrFile;
  const text = checkText('series', file, readText(isName ? packaged : nameOrFile));
  return seriesOf(checkKeys('series', readYaml(file, text)));
}
