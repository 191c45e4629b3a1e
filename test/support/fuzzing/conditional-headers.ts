import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import type { HttpClient } from '../http-client.ts'

export type KeysAndTags = {
  /** Keys that several requests share. */
  keys: readonly string[]
  /** Tags that a profile has, or will have after some edits. */
  tags: readonly string[]
}

const sharedKeys = 2
const revisionsAhead = 20

/** New keys, and the tags of a profile as its owner and as everybody else sees it. */
export async function keysAndTagsOf(client: HttpClient, path: string, access: string): Promise<KeysAndTags> {
  const own = (await client.get(path, { Authorization: `Bearer ${access}` })).headers.etag
  const shown = (await client.get(path)).headers.etag
  const [, id, revision, rest] = /^"(\d+)\.(\d+)(\.owner\..*)$/.exec(own ?? '') ?? []
  if (shown === undefined || revision === undefined)
    throw new Error(`expected the tags of ${path}, found ${own} and ${shown}`)
  const ahead = Array.from({ length: revisionsAhead }, (_, n) => `"${id}.${Number(revision) + n}${rest}`)
  return { keys: Array.from({ length: sharedKeys }, () => randomUUID()), tags: [...ahead, shown] }
}

/** What HTTP lets a header have, bytes beyond ASCII too; and DEL, which it does not. */
export const headerText = fc.string({
  unit: fc.integer({ min: 0x20, max: 0xff }).map(code => String.fromCharCode(code)),
})
const longText = fc
  .tuple(fc.constantFrom('x', '"', '\\', '\xe9', 'W/"a", '), fc.constantFrom(255, 256, 257, 4000, 17_000))
  .map(([text, length]) => text.repeat(Math.ceil(length / text.length)).slice(0, length))
const anyValue = fc.oneof(headerText, longText, fc.constantFrom('', ' ', '"', '""', '*', ',', '\xff'))
const inQuotes = (text: fc.Arbitrary<string>) => text.map(each => `"${each}"`)

function keyValue(keys: readonly string[]): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 4, arbitrary: inQuotes(fc.constantFrom(...keys)) },
    { weight: 4, arbitrary: inQuotes(fc.uuid()) },
    { weight: 1, arbitrary: fc.uuid() },
    { weight: 1, arbitrary: inQuotes(fc.oneof(longText, fc.constantFrom('\\"', '\\\\', '\\a'))) },
    { weight: 2, arbitrary: anyValue },
  )
}

function tagList(tags: readonly string[]): fc.Arbitrary<string> {
  const tag = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...tags) },
    { weight: 1, arbitrary: fc.constantFrom(...tags).map(each => `W/${each}`) },
    { weight: 1, arbitrary: inQuotes(fc.oneof(headerText, longText)) },
  )
  return fc.oneof(
    { weight: 2, arbitrary: fc.constant('*') },
    { weight: 5, arbitrary: fc.array(tag, { minLength: 1, maxLength: 4 }).map(list => list.join(', ')) },
    { weight: 2, arbitrary: anyValue },
  )
}

/** Values of the headers that make a request repeatable or conditional: right, wrong, long and beyond ASCII. */
export function conditionalHeaders({ keys, tags }: KeysAndTags): Record<string, fc.Arbitrary<string>> {
  return { 'Idempotency-Key': keyValue(keys), 'If-Match': tagList(tags), 'If-None-Match': tagList(tags) }
}
