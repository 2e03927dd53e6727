/** Code page 437, the character set of PC video adapters, as displayed (Unicode: VENDORS/MICSFT/PC/CP437.TXT). */

/** Glyphs of 0x00 to 0x1f (IBM's graphics for the control codes); 0x00 is blank. */
const CONTROLS = ' ☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼';
/** Glyphs of 0x7f to 0xff. */
const HIGH =
  '⌂ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■ ';
const FIRST_ASCII = 0x20;
const FIRST_HIGH = 0x7f;

/** The character that a video adapter shows for a byte. 0xff is blank. */
export function cp437(byte: number): string {
  if (byte < FIRST_ASCII) return CONTROLS[byte] ?? ' ';
  if (byte < FIRST_HIGH) return String.fromCharCode(byte);
  return HIGH[byte - FIRST_HIGH] ?? ' ';
}
