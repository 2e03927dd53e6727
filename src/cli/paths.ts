/** The path of the package's data: scenarios, patch records, expected traces, schemas. */
export { packageRoot } from '../node/package-files.js';
