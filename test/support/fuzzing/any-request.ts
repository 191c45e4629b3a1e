import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { anyUnicode } from '../any-unicode.ts'
import { conditionalHeaders, headerText, type KeysAndTags } from './conditional-headers.ts'

/** Somebody with an account, as far as requests can tell of them. */
export type Somebody = KeysAndTags & { id: number; path: string; access: string; refresh: string }

/** Bytes for a connection of their own, and what they ask for. */
export type AnyRequest = { method: string; target: string; bytes: Buffer }

const surrogate = fc.integer({ min: 0xd800, max: 0xdfff }).map(code => String.fromCharCode(code))
export const anyText = fc.oneof(
  anyUnicode({ maxLength: 40 }),
  fc.string({
    unit: fc.oneof(surrogate, fc.constantFrom('\0', '\x1c', '\u3000', 'İ', 'ß', 'a')),
    maxLength: 10,
  }),
  fc.constantFrom('', ' ', '\0', '__proto__', 'constructor', 'true', 'null', '²', 'x'.repeat(70_000)),
)

const fieldName = fc.oneof(
  fc.constantFrom(
    'username',
    'email',
    'password',
    'refresh',
    'token',
    'privacy',
    'bio',
    'avatar',
    '__proto__',
  ),
  anyText,
)
const anyNumber = fc.oneof(
  fc.double(),
  fc.bigInt().map(String),
  fc.constantFrom('1e999', '-0', '1e-999', '9'.repeat(400)),
)
const jsonText = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .dictionary(fieldName, fc.oneof(anyText, fc.jsonValue()))
      .map(value => JSON.stringify(value)),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(fieldName, anyNumber).map(([name, value]) => `{${JSON.stringify(name)}:${value}}`),
  },
  { weight: 1, arbitrary: fc.jsonValue().map(value => JSON.stringify(value)) },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 1, max: 30_000 }).map(depth => '[{"a":'.repeat(depth).slice(0, 60_000)),
  },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 1, max: 9000 }).map(depth => `${'['.repeat(depth)}${']'.repeat(depth)}`),
  },
  { weight: 1, arbitrary: anyText },
)
const formText = fc
  .array(fc.tuple(fieldName, anyText))
  .map(pairs => pairs.map(([name, value]) => `${encoded(name)}=${encoded(value)}`).join('&'))
const anyBody = fc.oneof(
  fc.tuple(
    fc.constant('application/json'),
    jsonText.map(text => Buffer.from(text)),
  ),
  fc.tuple(
    fc.constant('application/x-www-form-urlencoded'),
    formText.map(text => Buffer.from(text)),
  ),
  fc.tuple(
    fc.constantFrom(
      'application/json',
      'application/x-www-form-urlencoded',
      'text/plain',
      'a/b; c',
      '',
      ';',
      '\xff',
    ),
    fc.uint8Array({ maxLength: 200 }).map(bytes => Buffer.from(bytes)),
  ),
)

const percent = fc.integer({ min: 0, max: 255 }).map(byte => `%${byte.toString(16).padStart(2, '0')}`)
const pathPart = fc.oneof(
  percent,
  fc.constantFrom(
    '/',
    '//',
    '.',
    '..',
    '%',
    '%zz',
    '1',
    '00',
    'a',
    ':',
    ';',
    '\xff',
    '\xc3\xa9',
    '~',
    '|',
    '{',
  ),
)
const query = fc
  .tuple(
    fc.constantFrom('query', 'limit', 'cursor', 'x'),
    fc.oneof(
      fc.array(pathPart, { maxLength: 8 }).map(parts => parts.join('')),
      fc.constantFrom('1', '200', '0', ''),
    ),
  )
  .map(([name, value]) => `${name}=${value}`)
const target = (person: Somebody, paths: readonly string[]) =>
  fc.tuple(
    fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(...paths) },
      { weight: 2, arbitrary: fc.constantFrom(person.path, `/api/users/${person.id}`) },
      {
        weight: 3,
        arbitrary: fc.array(pathPart, { maxLength: 8 }).map(parts => `/api/users/${parts.join('')}`),
      },
      { weight: 1, arbitrary: fc.array(pathPart, { maxLength: 8 }).map(parts => `/${parts.join('')}`) },
      {
        weight: 1,
        arbitrary: fc.constantFrom('*', 'http://x/api/users/', 'http://', '//', '/?', '/api/users/#a'),
      },
    ),
    fc.oneof(
      fc.constant(''),
      fc.array(query, { maxLength: 4 }).map(pairs => `?${pairs.join('&')}`),
    ),
  )

const headers = (person: Somebody) =>
  fc.array(
    fc.oneof(
      fc.tuple(
        fc.constant('Authorization'),
        fc.oneof(
          fc.constantFrom(`Bearer ${person.access}`, `JWT ${person.refresh}`, 'Bearer', `${person.access}`),
          headerText,
          headerText.map(text => `Bearer ${text}`),
        ),
      ),
      fc.tuple(
        fc.constantFrom('X-Request-Id', 'Origin', 'Accept', 'Accept-Encoding', 'X', 'Cookie'),
        headerText,
      ),
      ...Object.entries(conditionalHeaders(person)).map(([name, value]) =>
        fc.tuple(fc.constant(name), value),
      ),
      fc.constantFrom(
        ['Expect', '100-continue'] as const,
        ['Expect', 'wonders'] as const,
        ['Upgrade', 'websocket'] as const,
        ['Access-Control-Request-Method', 'PUT'] as const,
        ['Origin', 'https://x.example'] as const,
      ),
    ),
    { maxLength: 4 },
  )

const methods = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'TRACE',
  'PROPFIND',
  'M-SEARCH',
  'GARBAGE',
]

/** Any request: whole, but with anything in it, on `paths` and beyond them. */
export const anyRequest = (person: Somebody, paths: readonly string[]): fc.Arbitrary<AnyRequest> =>
  fc
    .record({
      method: fc.constantFrom(...methods, 'POST', 'PUT', 'GET'),
      target: target(person, paths),
      headers: headers(person),
      body: fc.option(anyBody),
      framing: fc.constantFrom('length', 'chunks', 'gzip'),
    })
    .map(({ method, target: [path, search], headers: list, body, framing }) => {
      const asked = { method, target: `${path}${search}` }
      const lines = [`${method} ${asked.target} HTTP/1.1`, 'Host: x', 'Connection: close']
      for (const [name, value] of list) lines.push(`${name}: ${value}`)
      if (!body) return { ...asked, bytes: Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1') }
      const [type, content] = body
      lines.push(`Content-Type: ${type}`)
      const sent = framing === 'gzip' ? gzipSync(content) : content
      if (framing === 'gzip') lines.push('Content-Encoding: gzip')
      lines.push(framing === 'chunks' ? 'Transfer-Encoding: chunked' : `Content-Length: ${sent.length}`)
      const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
      return { ...asked, bytes: Buffer.concat([head, framing === 'chunks' ? inChunks(sent) : sent]) }
    })

function inChunks(bytes: Buffer): Buffer {
  const parts: Buffer[] = []
  for (let start = 0; start < bytes.length; start += 1000) {
    const chunk = bytes.subarray(start, start + 1000)
    parts.push(Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n'))
  }
  return Buffer.concat([...parts, Buffer.from('0\r\n\r\n')])
}

/** As forms and queries have it; unpaired surrogates become U+FFFD. */
function encoded(text: string): string {
  return encodeURIComponent(Buffer.from(text).toString())
}
