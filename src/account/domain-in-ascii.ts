import { nameprep } from './nameprep.ts'
import { punycode } from './punycode.ts'

/**
 * A domain name's ASCII form by IDNA 2003 (RFC 3490, unassigned code points allowed, no STD3 rules), or null if it
 * has none. So Python's codec `idna` has it, by which Django judges addresses. They are compared by UTS 46: see
 * `names.ts`.
 */
export function domainInAscii(domain: string): string | null {
  const labels = domain.split(/[.\u3002\uff0e\uff61]/)
  const trailingDot = labels.at(-1) === '' ? '.' : ''
  if (trailingDot) labels.pop()
  const ascii = labels.map(labelInAscii)
  return ascii.includes(null) ? null : ascii.join('.') + trailingDot
}

function labelInAscii(label: string): string | null {
  const prepared = isAscii(label) ? label : nameprep(label)
  // Punycode of a longer label is too long as well, and takes its time.
  if (prepared === null || prepared.length > 2 * 63) return null
  if (isAscii(prepared)) return ofGoodLength(prepared)
  return prepared.startsWith('xn--') ? null : ofGoodLength(`xn--${punycode(prepared)}`)
}

function ofGoodLength(label: string): string | null {
  return label.length > 0 && label.length < 64 ? label : null
}

function isAscii(text: string): boolean {
  return !/[^\0-\x7f]/.test(text)
}
