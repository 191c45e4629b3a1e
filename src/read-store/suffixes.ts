/** How much of each suffix the search index holds, in code points; longer texts are found by filtering. */
export const suffixLength = 32

const surrogates = /[\ud800-\udfff]/

/** Every suffix of `text`, cut to `suffixLength`; duplicates stay. */
export function suffixesOf(text: string): string[] {
  const points = pointsOf(text)
  const cut = surrogates.test(text)
    ? (start: number) => points.slice(start, start + suffixLength).join('')
    : (start: number) => text.slice(start, start + suffixLength)
  return points.map((_, start) => cut(start))
}

/** The same without duplicates, which only what is cut can have. */
export function distinctSuffixesOf(text: string): string[] {
  const suffixes = suffixesOf(text)
  return text.length <= suffixLength ? suffixes : [...new Set(suffixes)]
}

/** The suffix at a place in `suffixesOf`. */
export function suffixAt(text: string, at: number): string {
  return surrogates.test(text) ? (suffixesOf(text)[at] ?? '') : text.slice(at, at + suffixLength)
}

/** The first two code points of each suffix, in the order of `suffixesOf`. */
export function headsOfSuffixes(text: string): string[] {
  const points = pointsOf(text)
  return points.map((point, start) => point + (points[start + 1] ?? ''))
}

/** The part of a searched text that the index can find. */
export function indexedPart(text: string): string {
  return text.length <= suffixLength ? text : [...text].slice(0, suffixLength).join('')
}

/**
 * The least text in UTF-8 byte order that is greater than every text that begins with `beginning`; null if there is
 * none.
 */
export function endOfBeginnings(beginning: string): string | null {
  const points = [...beginning]
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    const next = nextPoint(last.codePointAt(0) ?? 0)
    if (next !== null) return points.join('') + next
  }
  return null
}

/** UTF-8 knows no surrogates, and nothing after U+10FFFF. */
function nextPoint(point: number): string | null {
  if (point >= 0x10ffff) return null
  return String.fromCodePoint(point === 0xd7ff ? 0xe000 : point + 1)
}

/** Whether UTF-8 can say it, and a search can find it. */
export function isSearchable(text: string): boolean {
  return !text.includes('\0') && !/[\ud800-\udfff]/u.test(text)
}

/**
 * Letters and signs that so many names have that walking through all names finds a page of them at once: they get
 * no list of their own.
 */
const commonSigns = new Set('abcdeghiklmnoprstuy_0123456789')

/** What a text is listed under, in the order of the texts: its pairs of neighbours, and its rarer signs. */
export function gramsOf(text: string): string[] {
  const points = pointsOf(text)
  const grams = new Set<string>()
  for (const [at, point] of points.entries()) {
    if (!commonSigns.has(point)) grams.add(point)
    if (at > 0) grams.add(`${points[at - 1]}${point}`)
  }
  return [...grams]
}

function pointsOf(text: string): string[] {
  return surrogates.test(text) ? [...text] : text.split('')
}
