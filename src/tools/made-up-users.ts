import type { NewUser } from '../account/accounts.ts'
import { isValidUsername, usernameKey } from '../account/names.ts'
import { adjectives, bios, firstNames, lastNames, nouns, places, sports } from './made-up-words.ts'

/** What a username begins with, and whose it is if it is made of a name. */
type Stem = { text: string; firstName: string | null; lastName: string | null }

const shortest = 5
const longest = 16
const longestStem = longest - 4

const ends = ['', ...upTo(1, 99), ...upTo(1985, 2009)]
/** Taken when there are more users than names that end so. */
const furtherEnds = [...upTo(100, 999), ...upTo(1000, 1984)]

let knownStems: readonly Stem[] | undefined

/**
 * User `index` (from 0) of a crowd: the same for the same seed, no two with one username key or one
 * address. Usernames have 5 to 16 characters, one in twenty not all ASCII; addresses are all under
 * example.com, .net and .org, where nobody gets mail. Throws RangeError beyond the last, at some tens of millions.
 */
export function madeUpUser(seed: number, index: number): Omit<NewUser, 'password'> {
  knownStems ??= makeStems()
  const roll = dice(seed, index)
  const { stem, end } = place(knownStems, seed, index)
  const firstName = stem.firstName ?? pick(firstNames, roll)
  const lastName = stem.lastName ?? pick(lastNames, roll)
  const [sport, other, third] = [pick(sports, roll), pick(sports, roll), pick(sports, roll)]
  const location = pick(places, roll)
  const bio = pick(bios, roll)
    .replace('{sport}', sport)
    .replace('{other}', other)
    .replace('{place}', location)
  return {
    username: (roll(5) === 0 ? capitalized(stem.text) : stem.text) + end,
    email:
      roll(20) === 0
        ? ''
        : `${letters(firstName) || 'me'}.${letters(lastName) || 'mail'}.${index}@example.${tld(roll(3))}`,
    firstName,
    lastName,
    bio: roll(3) === 0 ? '' : bio,
    favSport1: sport,
    favSport2: roll(2) === 0 || other === sport ? '' : other,
    favSport3: roll(4) === 0 && third !== sport && third !== other ? third : '',
    location: roll(6) === 0 ? '' : location,
    avatar: roll(3) === 0 ? `https://images.example.org/avatars/${seed}-${index}.jpg` : '',
  }
}

/** Pairs of stem and end, each once, in an order that looks random. */
function place(stems: readonly Stem[], seed: number, index: number): { stem: Stem; end: string } {
  const first = stems.length * ends.length
  const [within, size, choice] =
    index < first ? [index, first, ends] : [index - first, stems.length * furtherEnds.length, furtherEnds]
  const chosen = (within * strideOver(size) + (seed % size)) % size
  const stem = stems[chosen % stems.length]
  const end = choice[Math.floor(chosen / stems.length)]
  if (within >= size || stem === undefined || end === undefined) {
    throw new RangeError(`expected the index of a made-up user below ${first + size}, found ${index}`)
  }
  return { stem, end }
}

/** A step that visits each of `size` places once before it comes back. */
function strideOver(size: number): number {
  let stride = 9_699_667 % size
  while (greatestCommonDivisor(stride, size) !== 1) stride++
  return stride
}

function makeStems(): Stem[] {
  const byKey = new Map<string, Stem>()
  const add = (text: string, firstName: string | null, lastName: string | null) => {
    const lowerCased = text.toLowerCase()
    const length = [...lowerCased].length
    if (length < shortest || length > longestStem || !isValidUsername(lowerCased)) return
    const key = usernameKey(lowerCased)
    if (!byKey.has(key)) byKey.set(key, { text: lowerCased, firstName, lastName })
  }
  const spelt = (name: string) => ({ name, inLetters: letters(name), latin: isLatin(name) })
  const speltLastNames = lastNames.map(spelt)
  for (const { name: firstName, inLetters: first, latin } of firstNames.map(spelt)) {
    for (const { name: lastName, inLetters: last, latin: alsoLatin } of speltLastNames) {
      if (latin !== alsoLatin) continue
      const texts = [first + last, `${first}_${last}`, `${last}_${first}`, first[0] + last, first + last[0]]
      for (const text of [...(latin ? texts : []), firstName + lastName]) {
        add(text, firstName, lastName)
      }
    }
  }
  for (const adjective of adjectives) for (const noun of nouns) add(adjective + noun, null, null)
  return shuffled([...byKey.values()])
}

function shuffled(stems: Stem[]): Stem[] {
  const roll = dice(0, stems.length)
  return stems
    .map(stem => ({ stem, order: roll(2 ** 32) }))
    .sort((a, b) => a.order - b.order)
    .map(({ stem }) => stem)
}

/** A die for one user: `roll(n)` gives 0 to n−1 (mulberry32). */
function dice(seed: number, index: number): (sides: number) => number {
  let state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(index + 1, 0xc2b2ae35)
  return sides => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * sides)
  }
}

function pick(choice: readonly string[], roll: (sides: number) => number): string {
  return choice[roll(choice.length)] ?? ''
}

/** A name in plain Latin letters, as in most addresses and usernames; '' if it is written in others. */
function letters(name: string): string {
  return name
    .toLowerCase()
    .replaceAll('ı', 'i')
    .replaceAll('ł', 'l')
    .replaceAll('ø', 'o')
    .normalize('NFKD')
    .replace(/[^a-z]/g, '')
}

function isLatin(name: string): boolean {
  return /^\p{Script=Latin}/u.test(name)
}

function tld(choice: number): string {
  return ['com', 'net', 'org'][choice] ?? 'com'
}

function capitalized(text: string): string {
  const [first = '', ...rest] = text
  return first.toLocaleUpperCase('en') + rest.join('')
}

function upTo(first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, offset) => String(first + offset))
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}
