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

const maximumLength = 320

/** Whether Django 3.2's EmailValidator (that of 3.2.25) finds an address valid. */
export function isValidEmail(text: string): boolean {
  // Every code point has at most two UTF-16 units: what is far too long is not even counted.
  if (text.length > 2 * maximumLength || Array.from(text).length > maximumLength) return false
  const at = text.lastIndexOf('@')
  if (at === -1 || !user.test(text.slice(0, at))) return false
  const host = text.slice(at + 1)
  if (host === 'localhost' || isHost(host)) return true
  const ascii = domainInAscii(host)
  return ascii !== null && isHost(ascii)
}

function isHost(host: string): boolean {
  return domain.test(host) || (host.startsWith('[') && host.endsWith(']') && isAddress(host.slice(1, -1)))
}

function isAddress(text: string): boolean {
  return isIPv4(text) || (isIPv6(text) && !text.includes('%'))
}
