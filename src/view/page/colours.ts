/** The colours of tiles, from the page's style. */
import type { Layer, Tiles } from '../layers.js';

type Rgb = readonly [number, number, number];

/** A colour of the style, as numbers. */
function variable(style: CSSStyleDeclaration, name: string): Rgb {
  const text = style.getPropertyValue(name).trim();
  const [, r = '0', g = '0', b = '0'] = /^#(..)(..)(..)$/.exec(text) ?? [];
  return [parseInt(r, 16), parseInt(g, 16), parseInt(b, 16)];
}

const css = (rgb: Rgb): string => `rgb(${rgb.map((part) => Math.round(part)).join(' ')})`;

const mix = (parts: readonly (readonly [Rgb, number])[]): Rgb => {
  const total = parts.reduce((sum, [, share]) => sum + share, 0) || 1;
  const channel = (i: 0 | 1 | 2): number =>
    parts.reduce((sum, [rgb, share]) => sum + rgb[i] * share, 0) / total;
  return [channel(0), channel(1), channel(2)];
};

/** The variable of each code of a layer with fixed codes. */
const VARIABLES: Readonly<Record<Exclude<Layer, 'owners'>, readonly string[]>> = {
  dram: ['--hole', '--noise', '--plain', '--cipher', '--mixed'],
  cache: ['--hole', '--clean-plain', '--clean-cipher', '--plain', '--cipher', '--mixed'],
  exposure: ['--noise', '--plain', '--clean-plain'],
};

/** Owners have as many colours as can be told apart, and then again. */
const OWNERS = 16;

/** The share of a tile that is written too little to be seen is shown as this much of it (our choice). */
const LEAST_SHARE = 0.25;

/** The variable of a code, for the legend. */
export function variableOf(layer: Layer, code: number): string {
  if (layer === 'owners') return code === 0 ? '--mixed' : `--owner-${(code - 1) % OWNERS}`;
  return VARIABLES[layer][code] ?? '--hole';
}

/** The colour of each tile. */
export function coloursOf(tiles: Tiles, style: CSSStyleDeclaration): string[] {
  const { layer, codes, names, plain, cipher } = tiles;
  const fixed = names.map((_, code) => variable(style, variableOf(layer, code)));
  const noise = variable(style, '--noise');
  const [inPlain, inCipher] = [variable(style, '--plain'), variable(style, '--cipher')];
  return [...codes].map((code, i) => {
    const own = fixed[code] ?? noise;
    if (layer !== 'dram' || code !== 4) return css(own);
    const [p = 0, c = 0] = [(plain?.[i] ?? 0) / 255, (cipher?.[i] ?? 0) / 255];
    const written = Math.max(p + c, LEAST_SHARE);
    const scale = p + c === 0 ? 0 : written / (p + c);
    return css(
      mix([
        [inPlain, p * scale],
        [inCipher, c * scale],
        [noise, Math.max(0, 1 - written)],
      ]),
    );
  });
}
