/** A record of CSV as text, lines within its quotes and all, or what is wrong with it. `line` is its first one. */
export type CsvText = { line: number; bytes: number } & ({ text: string } | { problem: string })

export type Line = { line: number; text: string; bytes: number }

/** Nothing that a user may have is as long; what is in quotes is kept in memory until they are closed. */
const longestRecord = 1024 * 1024
const wrongQuotes =
  'expected quotes around whole fields, those within a field doubled, found one that opens or closes elsewhere'
const neverClosed = `expected a quote that is closed within ${longestRecord} characters, found none`

/**
 * Finds the records in lines of CSV. One whose quotes are wrong is refused with its first line alone: those after it
 * are records again. Where a quote is not closed for very long, nobody knows what is a record, and no more is read.
 */
export async function* csvTexts(source: AsyncIterable<Line>): AsyncGenerator<CsvText> {
  const lines = source[Symbol.asyncIterator]()
  /** Read before, and to be looked at again. */
  let again: Line[] = []

  async function next(): Promise<Line | null> {
    const line = again.shift()
    if (line) return line
    const { value, done } = await lines.next()
    return done ? null : value
  }

  for (let first = await next(); first; first = await next()) {
    if (first.text === '') continue
    const { line } = first
    const record = [first]
    let length = first.text.length
    let end = endOf(first.text, false)
    while (end === 'within' && length <= longestRecord) {
      const more = await next()
      if (!more) break
      record.push(more)
      length += more.text.length + 1
      end = endOf(more.text, true)
    }
    const { bytes } = record.at(-1) ?? first
    if (end === 'closed') yield { line, bytes, text: record.map(({ text }) => text).join('\n') }
    else if (length > longestRecord) {
      yield { line, bytes, problem: `${neverClosed}; nothing behind was read` }
      return
    } else {
      yield { line, bytes, problem: wrongQuotes }
      again = [...record.slice(1), ...again]
    }
  }
}

/** How a line ends that began within quotes or not; 'wrong' if a quote stands where none may. */
function endOf(text: string, beginsWithin: boolean): 'closed' | 'within' | 'wrong' {
  const line = text.endsWith('\r') ? text.slice(0, -1) : text
  let within = beginsWithin
  for (let at = line.indexOf('"'); at !== -1; at = line.indexOf('"', at + 1)) {
    if (!within) {
      if (at > 0 && line[at - 1] !== ',') return 'wrong'
      within = true
    } else if (line[at + 1] === '"') at++
    else if (at + 1 === line.length || line[at + 1] === ',') within = false
    else return 'wrong'
  }
  return within ? 'within' : 'closed'
}
