import fc from 'fast-check'
import type { AnyRequest, Somebody } from './any-request.ts'
import { anyText } from './any-request.ts'
import { type ApiDocument, methods, type Operation, operationOf, type Schema } from './api-document.ts'

/** Somebody whose requests can succeed. */
export type Known = Somebody & { username: string; email: string; password: string }

/** Requests as the document describes them: most fields as they should be, some not, some left out. */
export function documentedRequest(document: ApiDocument, person: Known): fc.Arbitrary<AnyRequest> {
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
          target: targetOf(path, operation, person),
          authorization: credentials(person),
          body: bodyOf(document, operation, person),
        })
        .map(({ target, authorization, body }) => {
          const lines = [`${method.toUpperCase()} ${target} HTTP/1.1`, 'Host: x', 'Connection: close']
          if (authorization !== null) lines.push(`Authorization: ${authorization}`)
          if (body !== null) lines.push('Content-Type: application/json')
          const content = body === null ? '' : JSON.stringify(body)
          lines.push(`Content-Length: ${Buffer.byteLength(content)}`)
          const bytes = Buffer.from(`${lines.join('\r\n')}\r\n\r\n${content}`)
          return { method: method.toUpperCase(), target, bytes }
        }),
    ),
  )
}

function targetOf(path: string, operation: Operation, person: Known): fc.Arbitrary<string> {
  const segment = fc.oneof(
    fc.constantFrom(person.username, String(person.id), '1', 'nobody', crypto.randomUUID()),
    anyText.map(text => encodeURIComponent(Buffer.from(text.slice(0, 200)).toString())),
  )
  const query = fc.record(
    Object.fromEntries(
      (operation.parameters ?? [])
        .filter(parameter => parameter.in === 'query')
        .map(({ name }) => [name, fc.oneof(fc.constantFrom('1', '50', person.username, 'u'), anyText)]),
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

const credentials = ({ access, refresh }: Known) =>
  fc.constantFrom(`Bearer ${access}`, `Bearer ${access}`, `Bearer ${refresh}`, 'Bearer x', 'Basic x', null)

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
      { weight: 8, arbitrary: plausible(name, resolved(document, field), person) },
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
    username: fc.oneof(fresh, fc.constant(person.username)),
    email: fc.oneof(
      fresh.map(text => `${text}@fuzz.example`),
      fc.constant(person.email),
    ),
    password: fc.constant(person.password),
    old_password: fc.constant(person.password),
    new_password: fc.constant(person.password),
    refresh: fc.constant(person.refresh),
    privacy: fc.boolean(),
  }
  return known[name] ?? fc.string({ unit: 'grapheme', maxLength: Math.min(maxLength + 1, 300) })
}

function resolved(document: ApiDocument, schema: Schema): Schema {
  const name = schema.$ref?.split('/').at(-1)
  return (name === undefined ? undefined : document.components.schemas[name]) ?? schema
}
