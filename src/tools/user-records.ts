import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { type CsvError, parse } from 'csv-parse'

/** A record of a file and the line it begins in, or what is wrong with that. `bytes` were read by then. */
export type UserRecord = { line: number; bytes: number } & (
  | { fields: Record<string, unknown> }
  | { problem: string }
)

/** The records of a file: NDJSON if it begins with a brace, else CSV with a line of names. Throws as `fs` does. */
export async function userRecords(file: string): Promise<AsyncIterable<UserRecord>> {
  return (await beginsWithBrace(file)) ? jsonRecords(file) : csvRecords(file)
}

async function beginsWithBrace(file: string): Promise<boolean> {
  const handle = await open(file)
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(1024), 0, 1024, 0)
    return /^\ufeff?\s*\{/.test(buffer.toString('utf8', 0, bytesRead))
  } finally {
    await handle.close()
  }
}

async function* jsonRecords(file: string): AsyncGenerator<UserRecord> {
  const input = createReadStream(file)
  let line = 0
  for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    line++
    const json = line === 1 ? text.replace(/^\ufeff/, '') : text
    if (json.trim() !== '') yield { line, bytes: input.bytesRead, ...parseJson(json) }
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
async function* csvRecords(file: string): AsyncGenerator<UserRecord> {
  const input = createReadStream(file)
  const skipped: { line: number; problem: string }[] = []
  const parser = parse({
    columns: true,
    bom: true,
    info: true,
    skip_empty_lines: true,
    skip_records_with_error: true,
    on_skip: error => void (error && skipped.push({ line: Number(error.lines), problem: problemOf(error) })),
  })
  // Not `pipe`, which tells nobody of an error of the file.
  input.on('error', error => parser.destroy(error))
  for await (const { record, info } of input.pipe(parser)) {
    for (const { line, problem } of skipped.splice(0)) yield { line, problem, bytes: input.bytesRead }
    const entries: [string, string][] = Object.entries<string>(record).filter(([, value]) => value !== '')
    yield {
      line: info.lines - linesWithin(entries),
      fields: Object.fromEntries(entries),
      bytes: input.bytesRead,
    }
  }
  for (const { line, problem } of skipped) yield { line, problem, bytes: input.bytesRead }
}

/** A quoted field may hold lines of its own; the parser counts them before it gives the record out. */
function linesWithin(entries: [string, string][]): number {
  return entries.reduce((lines, [, value]) => lines + value.split('\n').length - 1, 0)
}

function problemOf({ code, column }: CsvError): string {
  const where = typeof column === 'string' ? ` in ${column}` : ''
  return `expected a line of CSV with as many fields as there are names, found ${code}${where}`
}
