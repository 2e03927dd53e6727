/** Workflow commands of GitHub Actions (its manual, "Workflow commands"): what a line has to escape. */
import { printableLines } from './printable.js';

/** The data of a command: % and the ends of lines are escaped. */
export const commandData = (text: string): string =>
  printableLines(text).replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');

/** The value of a command's property: also : and , which separate properties. */
export const commandProperty = (text: string): string =>
  commandData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
