import { z } from 'zod'
import type { EventMetadata, JsonObject } from '../../event-store/event-store.ts'
import {
  afterChain,
  atStart,
  beforeChain,
  type ExportedEvent,
  type ExportFooter,
  type ExportHeader,
  type ExportPlace,
  type ExportSignature,
  footerLine,
  formatName,
  formatVersion,
  hashLength,
  headerLine,
  sha256,
} from './format.ts'

export type ReadLine =
  | { kind: 'header'; header: ExportHeader; chain: string }
  | { kind: 'event'; place: ExportPlace; chain: string; rest: Buffer }
  | { kind: 'redacted'; place: ExportPlace; chain: string; digest: string }
  | { kind: 'footer'; footer: ExportFooter; signature: ExportSignature | null; chain: string }

export type PlacedLine = Extract<ReadLine, { place: ExportPlace }>

const placeStart = Buffer.from(atStart)
const placeEnding = Buffer.from(`}${beforeChain}`)
const contentStart = Buffer.from('"content":')
const placeShape =
  /^\{"line":([1-9]\d{0,14}),"revision":"(0|[1-9]\d{0,18})","stream":("(?:[^"\\]|\\["\\/bfnrtu])*")\}$/
const restShape = /^"digest":"([\w-]{43})"\}$/

/** The event in a line whose hash was found right. Null if it is none: then whoever made the export made it wrong. */
export function eventIn(line: { rest: Buffer }): ExportedEvent | null {
  const parsed = eventShape.safeParse(parse(`{${line.rest}`))
  return parsed.success ? parsed.data.content : null
}

const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value)
const eventShape = z.object({
  content: z.object({
    id: z.string(),
    type: z.string(),
    // What stands in an event is the business of whoever understands its type and version.
    data: z.custom<JsonObject>(isObject),
    metadata: z.custom<EventMetadata>(isObject),
  }),
})

/** A line with a place, the digest of its content, and its place as written. Null: it has not that form. */
export function parsePlaced(line: Buffer): { read: PlacedLine; digest: string; placeText: string } | null {
  const placeEnd = line.indexOf(placeEnding)
  if (placeEnd < 0) return null
  const placeText = line.toString('utf8', atStart.length, placeEnd + 1)
  const [, number, revision, stream] = placeShape.exec(placeText) ?? []
  const chainAt = placeEnd + placeEnding.length
  const chainEnd = chainAt + hashLength
  const restStart = chainEnd + afterChain.length
  if (number === undefined || revision === undefined || stream === undefined) return null
  if (line.toString('latin1', chainEnd, restStart) !== afterChain) return null
  const streamName = stream.includes('\\') ? parse(stream) : stream.slice(1, -1)
  if (typeof streamName !== 'string') return null
  const place = { line: Number(number), stream: streamName, revision }
  const chain = line.toString('latin1', chainAt, chainEnd)
  const rest = line.subarray(restStart)
  if (startsWith(rest, contentStart)) {
    return { read: { kind: 'event', place, chain, rest }, digest: sha256(rest), placeText }
  }
  const [, digest] = restShape.exec(rest.toString('latin1')) ?? []
  return digest === undefined ? null : { read: { kind: 'redacted', place, chain, digest }, digest, placeText }
}

const headerShape = z.object({
  content: z.object({
    format: z.literal(formatName),
    log: z.string(),
    scope: z.union([z.literal('log'), z.templateLiteral(['user-', z.int()])]),
    version: z.literal(formatVersion),
  }),
})

/** The header, null if it is none, or not in the very form that we write. */
export function parseHeader(line: Buffer): ExportHeader | null {
  const parsed = headerShape.safeParse(parse(line.toString()))
  if (!parsed.success) return null
  const { log, scope } = parsed.data.content
  const header: ExportHeader = { log, scope }
  return headerLine(header).text === line.toString() ? header : null
}

const footerShape = z.object({
  chain: z.string(),
  content: z.object({ events: z.int(), until: z.string().nullable() }),
  publicKey: z.string().optional(),
  signature: z.string().optional(),
})

/** The footer, null if it is none, or not in the very form that we write. */
export function parseFooter(line: Buffer): Extract<ReadLine, { kind: 'footer' }> | null {
  const parsed = footerShape.safeParse(parse(line.toString()))
  if (!parsed.success) return null
  const { chain, content: footer, publicKey, signature: made } = parsed.data
  const signature = publicKey !== undefined && made !== undefined ? { publicKey, signature: made } : null
  // Written anew from what was understood of it, it must be the same text but for the chain.
  const again = footerLine('', footer, signature ? () => signature : undefined)
  if (again.text.replace(again.chain, chain) !== line.toString()) return null
  return { kind: 'footer', footer, signature, chain }
}

/** Whether a line is of the kind that has a place. */
export function hasPlace(line: Buffer): boolean {
  return startsWith(line, placeStart)
}

function startsWith(bytes: Buffer, start: Buffer): boolean {
  return bytes.length >= start.length && bytes.compare(start, 0, start.length, 0, start.length) === 0
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
