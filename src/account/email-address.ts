import { isIPv4, isIPv6 } from 'node:net'
import { domainInAscii } from './domain-in-ascii.ts'

// Where Django's expressions say A-Z without regard to case, Python lets these four in as well.
const letter = 'A-Za-z\u0130\u0131\u017f\u212a'
const atomText = `[-!#$%&'*+/=?^_\`{}|~0-9${letter}]+`
const quotedText = `[\\x01-\\x08\\x0b\\x0c\\x0e-\\x1f!#-[\\]-\\x7f${letter}]`
const quotedPair = `\\\\[\\x01-\\x09\\x0b\\x0c\\x0e-\\x7f${letter}]`
const user = new RegExp(`^(?:${atomText}(?:\\.${atomText})*|"(?:${quotedText}|${quotedPair})*")$`)

const label = `[0-9${letter}](?:[0-9${letter}-]{0,61}[0-9${letter}])?`
const domain = new RegExp(`^(?:${label}\\.)+[0-9${letter}-]{2,63}(?<!-)$`)

/** No address that is short enough has a longer domain; such a one is not worth the work of converting it. */
const longestToConvert = 2 * 254

/** Whether Django 3.2's EmailValidator finds an address valid. That it is not too long is for others to say. */
export function isValidEmail(text: string): boolean {
  const at = text.lastIndexOf('@')
  if (at === -1 || !user.test(text.slice(0, at))) return false
  const host = text.slice(at + 1)
  if (host === 'localhost' || isHost(host)) return true
  const ascii = host.length <= longestToConvert ? domainInAscii(host) : null
  return ascii !== null && isHost(ascii)
}

function isHost(host: string): boolean {
  return domain.test(host) || (host.startsWith('[') && host.endsWith(']') && isAddress(host.slice(1, -1)))
}

function isAddress(text: string): boolean {
  return isIPv4(text) || (isIPv6(text) && !text.includes('%'))
}
