import { isCommonPassword } from './common-passwords.ts'
import type { PasswordProblem, SimilarTo } from './domain-error.ts'

/** Whose password it is to be; an attribute that is not known yet is ''. */
export type PasswordOwner = { username: string; firstName: string; lastName: string; email: string }

const minimumLength = 8
const maximumLength = 128

/** All that is wrong with a new password, in the order in which it is told. Lengths are in code points. */
export function passwordProblems(password: string, owner: PasswordOwner): PasswordProblem[] {
  const problems: PasswordProblem[] = []
  const length = Array.from(password).length
  if (length < minimumLength) problems.push({ code: 'password_too_short' })
  if (length > maximumLength) problems.push({ code: 'password_too_long' })
  if (isCommonPassword(password)) problems.push({ code: 'password_too_common' })
  if (entirelyNumeric.test(password)) problems.push({ code: 'password_entirely_numeric' })
  const similarTo = firstSimilarAttribute(password, owner)
  if (similarTo !== null) problems.push({ code: 'password_too_similar', similarTo })
  return problems
}

// What Python's str.isdigit() calls digits: the decimal ones, and signs that stand for a single one.
const entirelyNumeric =
  /^[\p{Nd}²³¹\u1369-\u1371\u19da⁰⁴-⁹₀-₉①-⑨⑴-⑼⒈-⒐⓪⓵-⓽⓿❶-❾➀-➈➊-➒\u{10a40}-\u{10a43}\u{10e60}-\u{10e68}\u{11052}-\u{1105a}\u{1f100}-\u{1f10a}]+$/u

/** Django's UserAttributeSimilarityValidator: each attribute as a whole and in its parts, in lower case. */
function firstSimilarAttribute(password: string, owner: PasswordOwner): SimilarTo | null {
  const attributes: [SimilarTo, string][] = [
    ['username', owner.username],
    ['first name', owner.firstName],
    ['last name', owner.lastName],
    ['email address', owner.email],
  ]
  const letters = Array.from(password.toLowerCase())
  const counts = countEach(letters)
  for (const [attribute, value] of attributes) {
    const lowerCased = value.toLowerCase()
    for (const part of [...lowerCased.split(/[^\p{L}\p{N}_]+/u), lowerCased]) {
      if (quickRatio(counts, letters.length, part) >= 0.7) return attribute
    }
  }
  return null
}

/** Python's SequenceMatcher.quick_ratio: how much two texts have in common, the order of letters aside. */
function quickRatio(counts: ReadonlyMap<string, number>, length: number, text: string): number {
  const letters = Array.from(text)
  let matches = 0
  for (const [letter, count] of countEach(letters)) matches += Math.min(count, counts.get(letter) ?? 0)
  return (2 * matches) / (length + letters.length)
}

function countEach(letters: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const letter of letters) counts.set(letter, (counts.get(letter) ?? 0) + 1)
  return counts
}
