import { isUtf8 } from 'node:buffer'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { type ApiDocument, type Operation, operationOf } from './api-document.ts'

export type Asked = { method: string; target: string }
type Answer = { status: number; headers: Map<string, string>; body: string }

/** What never became a request is answered by the HTTP parser, whatever it was to be. */
const ofParser = /^\{"detail":"(?:Malformed request|Request header fields too large|Request timed out)\."\}$/
const pages = /^\/(?:docs(?:\/|$)|openapi\.json\/?$)/

/**
 * Compares answers with a document: null, or what is wrong in words. A status that the document does not list, a body
 * that is not as its schema says, a 5xx but 503 with `Retry-After`; where the document is silent, what every path does.
 */
export function createCompareAnswer(document: ApiDocument) {
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: false })
  ajv.addSchema(document, 'api')
  const validators = new Map<string, ReturnType<typeof ajv.compile>>()

  function problemOfBody(pointer: string, body: string): string | null {
    let validate = validators.get(pointer)
    if (!validate) {
      validate = ajv.compile({ $ref: `api#${pointer}` })
      validators.set(pointer, validate)
    }
    let parsed: unknown
    try {
      parsed = JSON.parse(body)
    } catch {
      return `expected JSON, found ${body.slice(0, 200)}`
    }
    if (validate(parsed)) return null
    return `expected a body as ${pointer} has it, found ${ajv.errorsText(validate.errors)} in ${body.slice(0, 200)}`
  }

  const problemOfError = (body: string) => problemOfBody('/components/schemas/Error', body)

  /** Where the document describes an answer. */
  function pointerTo(path: string, method: string, operation: Operation, status: number): string | null {
    const response = operation.responses[status]
    if (response === undefined) return null
    const inline = `/paths/${escaped(path)}/${method}/responses/${status}`
    return '$ref' in response ? String(response.$ref).slice(1) : inline
  }

  function problemOfDocumented(
    path: string,
    asked: Asked,
    operation: Operation,
    answer: Answer,
  ): string | null {
    const method = asked.method === 'HEAD' ? 'get' : asked.method.toLowerCase()
    const pointer = pointerTo(path, method, operation, answer.status)
    if (pointer === null) return `expected one of ${Object.keys(operation.responses)}, found ${answer.status}`
    const described = pointer
      .split('/')
      .slice(1)
      .reduce<unknown>((at, key) => valueIn(at, key.replaceAll('~1', '/')), document)
    const hasBody = valueIn(described, 'content') !== undefined
    if (asked.method === 'HEAD' || !hasBody)
      return answer.body === '' ? null : `expected no body, found ${answer.body.slice(0, 200)}`
    return problemOfBody(`${pointer}/content/application~1json/schema`, answer.body)
  }

  return (asked: Asked, text: string): string | null => {
    const answer = parseAnswer(text)
    if (!answer) return `expected an answer, found ${JSON.stringify(text.slice(0, 200))}`
    const { status, headers, body } = answer
    if (status >= 500 && status !== 503) return `expected no 5xx but 503, found ${status} ${body}`
    if (status === 503 && !/^\d+$/.test(headers.get('retry-after') ?? ''))
      return 'expected Retry-After with 503'
    if (!/^[\w.-]{1,128}$/.test(headers.get('x-request-id') ?? ''))
      return `expected X-Request-Id, found ${headers.get('x-request-id') ?? 'none'}`
    if (status === 401 && !headers.has('www-authenticate')) return 'expected WWW-Authenticate with 401'
    if (status === 405 && !headers.has('allow')) return 'expected Allow with 405'
    if (body !== '' && status !== 200 && !headers.get('content-type')?.startsWith('application/json'))
      return `expected JSON, found ${headers.get('content-type')}`

    // A target may be the whole address.
    const path = asked.target.replace(/^http:\/\/[^/?]+/, '').replace(/\?.*$/s, '')
    const documented = Object.entries(document.paths).find(([template]) => isAt(template, path))
    const operation =
      documented && operationOf(documented[1], asked.method === 'HEAD' ? 'get' : asked.method.toLowerCase())
    if (ofParser.test(body) && status < 500) return problemOfError(body)
    if (documented && operation) return problemOfDocumented(documented[0], asked, operation, answer)
    if (asked.method === 'OPTIONS' && status === 204) return body === '' ? null : 'expected no body with 204'
    if (status === 200 && pages.test(path)) return null
    const expected = documented || pages.test(path) ? 405 : 404
    if (status !== expected && asked.target.startsWith('/'))
      return `expected ${expected}, found ${status} ${body.slice(0, 200)}`
    return asked.method === 'HEAD' || body === '' ? null : problemOfError(body)
  }
}

/** The status of an answer as it came over the wire, null if it is none. */
export function statusOf(text: string): number | null {
  return parseAnswer(text)?.status ?? null
}

function parseAnswer(text: string): Answer | null {
  const [head = '', ...rest] = text.replace(/^(?:HTTP\/1\.1 100 Continue\r\n\r\n)*/, '').split('\r\n\r\n')
  const [first = '', ...lines] = head.split('\r\n')
  const status = /^HTTP\/1\.1 (\d{3}) /.exec(first)?.[1]
  if (status === undefined) return null
  const headers = new Map(
    lines.map(line => [
      line.slice(0, line.indexOf(':')).toLowerCase(),
      line.slice(line.indexOf(':') + 1).trim(),
    ]),
  )
  return { status: Number(status), headers, body: rest.join('\r\n\r\n') }
}

/** A parameter is one segment that is text; with or without the final slash. */
function isAt(template: string, path: string): boolean {
  const parts = template.replace(/\/$/, '').split('/')
  const found = path.replace(/\/$/, '').split('/')
  return (
    parts.length === found.length &&
    parts.every((part, n) => {
      const segment = found[n] ?? ''
      return part.startsWith('{') ? isText(segment) : part === segment
    })
  )
}

/** Whether it stands for UTF-8 without NUL; a `%` that begins no pair of digits stands for itself. */
function isText(segment: string): boolean {
  const bytes = segment.replace(/%([0-9a-f]{2})/gi, (_, digits) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  )
  return segment !== '' && !bytes.includes('\0') && isUtf8(Buffer.from(bytes, 'latin1'))
}

const escaped = (key: string) => key.replaceAll('~', '~0').replaceAll('/', '~1')

function valueIn(at: unknown, key: string): unknown {
  return typeof at === 'object' && at !== null
    ? new Map<string, unknown>(Object.entries(at)).get(key)
    : undefined
}
