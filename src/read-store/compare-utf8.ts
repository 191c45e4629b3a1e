/** Orders texts by their bytes in UTF-8, as the stores do; UTF-16 has what is beyond U+FFFF before U+E000. */
export function compareUtf8(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
