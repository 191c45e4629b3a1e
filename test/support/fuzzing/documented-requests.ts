import fc from 'fast-check'
import type { AnyRequest, Somebody } from './any-request.ts'
import { anyText } from './any-request.ts'
import {
  type ApiDocument,
  methods,
  namesIn,
  type Operation,
  operationOf,
  type Schema,
} from './api-document.ts'
import type { Asked } from './compare-answer.ts'
import { conditionalHeaders } from './conditional-headers.ts'

/** Somebody whose requests can succeed. */
export type Known = Somebody & { username: string; email: string; password: string }

/**
 * A request as the document describes it: most fields as they should be, some not, some left out. After that at times
 * the same again, or the same with another body, as by a client that repeats a command or takes its key for the next.
 */
export function documentedRequests(document: ApiDocument, person: Known): fc.Arbitrary<AnyRequest[]> {
  const operations = Object.entries(document.paths).flatMap(([path, item]) =>
    methods.flatMap(method => {
      const operation = operationOf(item, method)
      return operation ? [{ path, method, operation }] : []
    }),
  )
  return fc.oneof(
    ...operations.map(({ path, method, operation }) =>
      fc
        .record({
          target: targetOf(document, path, operation, person),
          authorization: credentials(person),
          headers: headersOf(document, operation, person),
          bodies: bodiesOf(bodyOf(document, operation, person)),
        })
        .map(({ target, authorization, headers, bodies }) => {
          const given = [...Object.entries(headers), ...authorization]
          const asked = { method: method.toUpperCase(), target }
          return bodies.map(body => ({ ...asked, bytes: bytesOf(asked, given, body) }))
        }),
    ),
  )
}

function targetOf(
  document: ApiDocument,
  path: string,
  operation: Operation,
  person: Known,
): fc.Arbitrary<string> {
  const segment = fc.oneof(
    fc.constantFrom(person.username, person.username, String(person.id), '1', 'nobody', crypto.randomUUID()),
    anyText.map(text => encodeURIComponent(Buffer.from(text.slice(0, 200)).toString())),
  )
  const query = fc.record(
    Object.fromEntries(
      namesIn(document, operation, 'query').map(name => [
        name,
        fc.oneof(fc.constantFrom('1', '50', person.username, 'u'), anyText),
      ]),
    ),
    { requiredKeys: [] },
  )
  return fc.tuple(segment, query).map(([value, fields]) => {
    const search = new URLSearchParams()
    for (const [name, text] of Object.entries(fields)) search.set(name, String(text).slice(0, 1000))
    const all = search.toString()
    return `${path.replace(/\{\w+\}/, value)}${all === '' ? '' : `?${all}`}`
  })
}

/** Each of the headers that it takes now and then. */
function headersOf(
  document: ApiDocument,
  operation: Operation,
  person: Known,
): fc.Arbitrary<Partial<Record<string, string>>> {
  const values = conditionalHeaders(person)
  const taken = namesIn(document, operation, 'header').map(name => {
    const value = values[name]
    if (!value) throw new Error(`expected values for the header ${name}, found none`)
    return [name, value] as const
  })
  return fc.record(Object.fromEntries(taken), { requiredKeys: [] })
}

type Headers = [name: string, value: string | undefined][]

const credentials = ({ access, refresh }: Known): fc.Arbitrary<Headers> =>
  fc
    .oneof(
      { weight: 5, arbitrary: fc.constant(`Bearer ${access}`) },
      { weight: 2, arbitrary: fc.constantFrom(`Bearer ${refresh}`, 'Bearer x', 'Basic x') },
      { weight: 1, arbitrary: fc.constant(null) },
    )
    .map(value => (value === null ? [] : [['Authorization', value]]))

function bodiesOf(body: fc.Arbitrary<object | null>): fc.Arbitrary<(object | null)[]> {
  return fc.oneof(
    { weight: 6, arbitrary: body.map(each => [each]) },
    { weight: 1, arbitrary: body.map(each => [each, each]) },
    { weight: 1, arbitrary: fc.tuple(body, body) },
  )
}

function bytesOf({ method, target }: Asked, headers: Headers, body: object | null): Buffer {
  const content = body === null ? '' : JSON.stringify(body)
  const lines = [`${method} ${target} HTTP/1.1`, 'Host: x', 'Connection: close']
  for (const [name, value] of headers) lines.push(`${name}: ${value}`)
  if (body !== null) lines.push('Content-Type: application/json')
  lines.push(`Content-Length: ${Buffer.byteLength(content)}`)
  // Headers are bytes, which are not UTF-8 as bodies are.
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), Buffer.from(content)])
}

function bodyOf(
  document: ApiDocument,
  { requestBody }: Operation,
  person: Known,
): fc.Arbitrary<object | null> {
  const given = requestBody?.content['application/json']?.schema
  if (given === undefined) return fc.constant(null)
  const schema = resolved(document, given)
  const fields = Object.entries(schema.properties ?? {}).map(([name, field]) => [
    name,
    fc.oneof(
      { weight: 18, arbitrary: plausible(name, resolved(document, field), person) },
      { weight: 1, arbitrary: anyText },
      { weight: 1, arbitrary: fc.jsonValue() },
    ),
  ])
  const all: fc.Arbitrary<object> = fc.record(Object.fromEntries(fields))
  return fc.oneof(
    { weight: 6, arbitrary: all },
    { weight: 3, arbitrary: fc.record(Object.fromEntries(fields), { requiredKeys: [] }) },
    { weight: 1, arbitrary: fc.dictionary(anyText, fc.jsonValue()) },
  )
}

function plausible(name: string, { maxLength = 100 }: Schema, person: Known): fc.Arbitrary<unknown> {
  const fresh = fc.stringMatching(/^[a-z]{12}$/)
  const known: Record<string, fc.Arbitrary<unknown>> = {
    username: mostly(fresh, person.username),
    email: mostly(
      fresh.map(text => `${text}@fuzz.example`),
      person.email,
    ),
    password: fc.constant(person.password),
    old_password: fc.constant(person.password),
    new_password: fc.constant(person.password),
    refresh: fc.constant(person.refresh),
    privacy: fc.boolean(),
  }
  return known[name] ?? fc.string({ unit: 'grapheme', maxLength: Math.min(maxLength + 1, 300) })
}

function mostly(fresh: fc.Arbitrary<string>, taken: string): fc.Arbitrary<string> {
  return fc.oneof({ weight: 3, arbitrary: fresh }, { weight: 1, arbitrary: fc.constant(taken) })
}

function resolved(document: ApiDocument, schema: Schema): Schema {
  const name = schema.$ref?.split('/').at(-1)
  return (name === undefined ? undefined : document.components.schemas[name]) ?? schema
}
