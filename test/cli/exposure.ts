/** What `sme-boot exposure` and the summary of `run` say of memory in the clear. */
import { sme } from './io.js';

export interface Section {
  at?: string;
  encryptingCpus: number[];
  dramBytes: number;
  cacheBytes: number;
  hiddenRanges: number;
  remnants: unknown[];
  since?: { label: string; came: { by: { fn: string } }[]; went: { by: { fn: string } }[] };
  ranges: {
    pa: string;
    start: string;
    bytes: number;
    where: string;
    names: string[];
    owner: { kind: string; text: string };
    writer: { fn: string; hunk?: string };
    reason: string;
    why: string;
  }[];
}

export async function sections(...argv: string[]): Promise<Section[]> {
  const { out } = await sme(['exposure', ...argv, '--format', 'json']);
  return (JSON.parse(out) as { sections: Section[] }).sections;
}

/** The line of the summary. */
export const lineOf = (out: string): string | undefined =>
  /^In the clear at the end: .*$/m.exec(out)?.[0];
