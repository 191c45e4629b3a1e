/** Signs that a terminal obeys, or by which it shows text in another order than it has: JSON leaves most as they are. */
const obeyed = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu

/** A value as JSON that any terminal shows as it is: what it would obey is escaped, and reads as the same value. */
export function spelledOut(value: unknown): string {
  return JSON.stringify(value).replace(obeyed, escaped)
}

/** Text as it is, or spelled out if it has several lines or signs that a terminal obeys. */
export function printable(text: string): string {
  return text.search(obeyed) === -1 ? text : spelledOut(text)
}

function escaped(sign: string): string {
  return `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`
}
