import { chainAfter, footerLine, headerLine } from './format.ts'
import { hasPlace, parseFooter, parseHeader, parsePlaced, type ReadLine } from './parse.ts'
import { isSignedBy } from './signature.ts'

/** What is wrong, in words, with a line of a file, counted from 1. */
export type Problem = { line: number; found: string }

/**
 * Reads an export line by line and tells `report` whatever breaks its chain: changed, missing, added, repeated and
 * moved lines, with the first line that shows it. Null: the line cannot be read. Call `end` after the last line.
 */
export function createExportReader(report: (problem: Problem) => void) {
  /** Of the line before; null while that is not known. */
  let chain: string | null = null
  let lines = 0
  let next = 2
  let finished = false

  const wrong = (found: string) => report({ line: lines, found })

  function takeHeader(line: Buffer): ReadLine | null {
    const header = parseHeader(line)
    if (!header) {
      wrong('expected the header, found something else or a changed one')
      return null
    }
    chain = headerLine(header).chain
    return { kind: 'header', header, chain }
  }

  function takePlaced(line: Buffer): ReadLine | null {
    const placed = parsePlaced(line)
    if (!placed) {
      wrong('expected the line of an event, found a changed one or something else')
      chain = null
      next++
      return null
    }
    const { read, digest, placeText } = placed
    const number = read.place.line
    if (number !== next) {
      const missing = number > next && `lines ${next} to ${number - 1} are missing`
      wrong(`expected line ${next}, found ${number}: ${missing || 'it is repeated, added'} or out of place`)
    } else if (chain !== null && chainAfter(chain, digest, placeText) !== read.chain) {
      wrong('expected content that fits its hash and the line before, found a change in one of them')
    }
    chain = read.chain
    next = number + 1
    return read
  }

  function takeFooter(line: Buffer): ReadLine | null {
    const read = parseFooter(line)
    if (!read) {
      wrong('expected the line of an event or the footer, found a changed one or something else')
      chain = null
      next++
      return null
    }
    finished = true
    const { footer, signature } = read
    if (footer.events !== next - 2) {
      wrong(
        `expected a footer of ${next - 2} events, found one of ${footer.events}: lines are missing before it`,
      )
    } else if (chain !== null && footerLine(chain, footer).chain !== read.chain) {
      wrong('expected a footer that fits its hash and the line before, found a change in one of them')
    } else if (signature && !isSignedBy(signature, read.chain)) {
      wrong('expected the signature of the key it names, found another one')
    }
    return read
  }

  return {
    take(line: Buffer): ReadLine | null {
      lines++
      const placed = hasPlace(line)
      if (finished) {
        wrong('expected the end of the file after the footer, found another line')
        return null
      }
      if (lines === 1 && !placed) return takeHeader(line)
      if (lines === 1) wrong('expected the header, found an event: the header is missing')
      return placed ? takePlaced(line) : takeFooter(line)
    },

    /** `ended`: the last line had its newline. */
    end(ended: boolean): void {
      if (!ended) wrong('expected a newline at the end of the line, found the end of the file')
      if (!finished) report({ line: lines + 1, found: 'expected the footer, found the end of the file' })
    },
  }
}
