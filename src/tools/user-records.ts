import { parse } from 'csv-parse/sync'
import { csvTexts, type Line } from './csv-texts.ts'
import { LineTooLong, linesOf } from './export-file/lines.ts'
import { exitCodes, ToolFailure } from './shell.ts'

/** A record of a file and the line it begins in, or what is wrong with that. `bytes` were read by then. */
export type UserRecord = { line: number; bytes: number } & (
  | { fields: Record<string, unknown> }
  | { problem: string }
)

/** The records of a file: NDJSON if it begins with a brace, else CSV with a line of names. Throws as `fs` does, and ToolFailure. */
export async function* userRecords(file: string): AsyncGenerator<UserRecord> {
  const lines = numberedLines(file)
  // What was read of a pipe cannot be read again.
  const begun: Line[] = []
  for (let read = await lines.next(); !read.done; read = await lines.next()) {
    begun.push(read.value)
    if (read.value.text.trim() !== '') break
  }
  const all = allOf(begun, lines)
  yield* begun.at(-1)?.text.trimStart().startsWith('{') ? jsonRecords(all) : csvRecords(all)
}

async function* allOf(begun: Line[], rest: AsyncIterable<Line>): AsyncGenerator<Line> {
  yield* begun
  yield* rest
}

/** The lines of a file without their newline. */
async function* numberedLines(file: string): AsyncGenerator<Line> {
  let line = 0
  try {
    for await (const { lines, bytes } of linesOf(file)) {
      for (const read of lines) {
        const text = read.toString()
        yield { line: ++line, bytes, text: line === 1 ? text.replace(/^\ufeff/, '') : text }
      }
    }
  } catch (error) {
    if (!(error instanceof LineTooLong)) throw error
    const message = `line ${line + 1}: ${error.message}; nothing behind was read`
    throw new ToolFailure(exitCodes.difference, message, { cause: error })
  }
}

async function* jsonRecords(lines: AsyncIterable<Line>): AsyncGenerator<UserRecord> {
  for await (const { line, bytes, text } of lines) {
    if (text.trim() !== '') yield { line, bytes, ...parseJson(text) }
  }
}

function parseJson(text: string): { fields: Record<string, unknown> } | { problem: string } {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { fields: { ...value } }
    return { problem: 'expected a JSON object, found another value' }
  } catch (error) {
    // What the parser says quotes the line, and with it a hash.
    return { problem: `expected JSON, found ${error instanceof SyntaxError ? 'something else' : error}` }
  }
}

/** An empty field is one that is not there. */
async function* csvRecords(lines: AsyncIterable<Line>): AsyncGenerator<UserRecord> {
  let names: string[] | null = null
  for await (const { line, bytes, ...found } of csvTexts(lines)) {
    if (names) yield { line, bytes, ...('problem' in found ? found : parseCsv(found.text, names)) }
    else {
      names = 'problem' in found ? [] : fieldsOf(found.text)
      // Lines that end with carriage returns alone would all be names.
      if (names.includes('username') && !names.some(name => name.includes('\r'))) continue
      yield {
        line,
        bytes,
        problem: 'expected a line of names, one of them username; nothing behind was read',
      }
      return
    }
  }
}

function parseCsv(text: string, names: string[]): { fields: Record<string, string> } | { problem: string } {
  const values = fieldsOf(text)
  if (values.length === names.length) {
    const entries = values.map((value, index): [string, string] => [names[index] ?? '', value])
    return { fields: Object.fromEntries(entries.filter(([, value]) => value !== '')) }
  }
  return { problem: `expected ${names.length} fields, as many as there are names, found ${values.length}` }
}

/** Of one record, whose quotes are as they should be. */
function fieldsOf(text: string): string[] {
  const record = text.endsWith('\r') ? text.slice(0, -1) : text
  const [fields = []]: string[][] = parse(record, { record_delimiter: '\n' })
  return fields
}
