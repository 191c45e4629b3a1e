import { percentDecode } from './percent-decode.ts'

/**
 * The value of a parameter in a query string: the last one if it is repeated, undefined if there is none, null if
 * it is not UTF-8. A plus sign is a space.
 */
export function queryParameter(query: string, name: string): string | null | undefined {
  for (const pair of query.split('&').reverse()) {
    const [sentName = '', ...rest] = pair.split('=')
    if (plainText(sentName) === name) return plainText(rest.join('='))
  }
  return undefined
}

function plainText(part: string): string | null {
  return percentDecode(part.replaceAll('+', ' '))
}
