/** Former names of the package's series. */
import { own } from '../base/own.js';

const FORMER: Readonly<Record<string, string>> = { mended: 'fixed' };

/** The present name of a series; any other text is returned as it is. */
export const currentName = (name: string): string => own(FORMER, name) ?? name;
