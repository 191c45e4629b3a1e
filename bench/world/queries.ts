import { usernameKey } from '../../src/account/names.ts'
import { anyOf, shuffled } from '../measuring/random.ts'

/** Search texts by what they find among the usernames of a crowd. */
export type Queries = {
  /** About ten hits. */
  few: string[]
  /** The letters most names have. */
  commonLetters: string[]
  /** Letters that one in 200 to one in 5,000 has. */
  rareLetters: string[]
  /** About so many hits as was asked for. */
  many: string[]
  /** Nobody, though some begin like somebody. */
  none: string[]
}

const longest = 8
const wanted = 300

/** Chooses search texts by counting what is in the names. */
export function chooseQueries(usernames: readonly string[], manyHits: number): Queries {
  const keys = usernames.map(usernameKey)
  const hitsOf = countTexts(keys)
  const letters = lettersByShare(keys)
  // So few may be those of another text, with which it shares a counter.
  const few = textsIn(keys, text => within(hitsOf(text), 8, 12) && within(exactHits(keys, text), 8, 12))
  return {
    few,
    commonLetters: letters.slice(0, 5).map(({ letter }) => letter),
    rareLetters: letters.filter(({ share }) => within(share, 1 / 5000, 1 / 200)).map(({ letter }) => letter),
    many: textsIn(keys, text => within(hitsOf(text), manyHits * 0.8, manyHits * 1.2)),
    none: [...few.map(text => nobodys(text, hitsOf)), '☃', 'zzzzzzzzzz'],
  }
}

/** What part of the names has each letter, most first. */
function lettersByShare(keys: readonly string[]): { letter: string; share: number }[] {
  const names = new Map<string, number>()
  for (const key of keys) for (const letter of new Set(key)) names.set(letter, (names.get(letter) ?? 0) + 1)
  return [...names]
    .filter(([letter]) => /\p{L}/u.test(letter))
    .map(([letter, count]) => ({ letter, share: count / keys.length }))
    .sort((a, b) => b.share - a.share)
}

/** Texts in random names that are as wanted, each once. Throws if there are none. */
function textsIn(keys: readonly string[], isWanted: (text: string) => boolean): string[] {
  const found = new Set<string>()
  for (const key of shuffled(keys).slice(0, 50_000)) {
    const letters = [...key]
    const start = Math.floor(Math.random() * letters.length)
    for (let length = 1; length <= longest && start + length <= letters.length; length++) {
      const text = letters.slice(start, start + length).join('')
      if (!found.has(text) && isWanted(text)) found.add(text)
    }
    if (found.size >= wanted) break
  }
  if (found.size === 0) throw new Error('expected texts with that many hits in the names, found none')
  return [...found]
}

function exactHits(keys: readonly string[], text: string): number {
  return keys.reduce((hits, key) => (key.includes(text) ? hits + 1 : hits), 0)
}

/** `text` with its end changed until nobody has it. */
function nobodys(text: string, hitsOf: (text: string) => number): string {
  for (;;) {
    const changed = text.slice(0, -1) + anyOf([...'jqvwxyz_']) + anyOf([...'jqvwxz_'])
    if (hitsOf(changed.slice(0, longest)) === 0) return changed
  }
}

/**
 * How often each text of at most eight UTF-16 units occurs in the keys, at least: two texts may share a counter, and
 * a name that has a text twice counts twice.
 */
function countTexts(keys: readonly string[]): (text: string) => number {
  const counters = new Uint32Array(2 ** 25)
  for (const key of keys) {
    for (let start = 0; start < key.length; start++) {
      let hash = 0
      for (let end = start; end < Math.min(key.length, start + longest); end++) {
        hash = mix(hash, key.charCodeAt(end))
        counters[hash >>> 7] = (counters[hash >>> 7] ?? 0) + 1
      }
    }
  }
  return text => {
    let hash = 0
    for (let at = 0; at < text.length; at++) hash = mix(hash, text.charCodeAt(at))
    return counters[hash >>> 7] ?? 0
  }
}

function mix(hash: number, unit: number): number {
  const mixed = Math.imul(hash ^ (unit + 1), 0x9e3779b1)
  return mixed ^ (mixed >>> 15)
}

function within(value: number, lowest: number, highest: number): boolean {
  return value >= lowest && value <= highest
}
