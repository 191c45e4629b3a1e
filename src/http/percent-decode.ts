const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Whether percent-decoding would change anything. */
export function isEncoded(text: string): boolean {
  return /[%\x80-\xff]/.test(text)
}

/**
 * Percent-decodes a part of a request target, as Node hands it out: bytes as Latin-1 characters. An escape that is
 * none stays as it is. Null if the bytes are not UTF-8.
 */
export function percentDecode(text: string): string | null {
  if (!isEncoded(text)) return text
  const bytes = text.replace(/%([0-9a-f]{2})/gi, (_escape, hex) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
  try {
    return utf8.decode(Buffer.from(bytes, 'latin1'))
  } catch {
    return null
  }
}
