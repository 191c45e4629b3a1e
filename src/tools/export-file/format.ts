import { hash } from 'node:crypto'
import { canonicalJson } from '../../event-store/canonical-json.ts'
import type { EventMetadata, JsonObject } from '../../event-store/event-store.ts'
import type { EventText } from '../../event-store/log-transfer.ts'

/**
 * An export is lines of canonical JSON: a header, one line for each event, a footer. This is a storage format for
 * ever. The same log always gives the same lines.
 *
 *     {"chain":"…","content":{"format":"roster-export","log":"<uuid>","scope":"log","version":1}}
 *     {"at":{"line":2,"revision":"0","stream":"log"},"chain":"…","content":{…the event…},"salt":"…"}
 *     {"at":{"line":3,"revision":"0","stream":"user-7"},"chain":"…","digest":"…"}           (redacted)
 *     {"chain":"…","content":{"events":2,"until":"<time>"},"publicKey":"…","signature":"…"}
 *
 * `digest` is the SHA-256 of all that follows `chain` in an event's line, its content and its salt; `chain` that of
 * the chain before it, the digest, and the place. So the content and salt of a line can be replaced by their digest.
 */
export type ExportHeader = { log: string; scope: ExportScope }
/** The whole log, or the events of one account: `user-<id>`. */
export type ExportScope = 'log' | `user-${number}`
/** Where an event stands: its line in the export, from 2 on, and its revision in its stream. */
export type ExportPlace = { line: number; stream: string; revision: string }
export type ExportedEvent = { id: string; type: string; data: JsonObject; metadata: EventMetadata }
/** How many events there are, and the time of the last one; null if there is none. */
export type ExportFooter = { events: number; until: string | null }
/** Both base64url: the raw Ed25519 key, and its signature of `signedText(chain)`. */
export type ExportSignature = { publicKey: string; signature: string }

export type Line = { text: string; chain: string }

export const formatName = 'roster-export'
export const formatVersion = 1
/** Base64url characters of a SHA-256, and of a salt. */
export const hashLength = 43
export const saltLength = 22

/** What stands around the place, the chain and the salt in the line of an event. */
export const atStart = '{"at":'
export const beforeChain = ',"chain":"'
export const afterChain = '",'
export const beforeSalt = ',"salt":"'
export const saltEnd = '"}'

/** The SHA-256 in base64url. */
export function sha256(content: string | Uint8Array): string {
  return hash('sha256', content, 'base64url')
}

export function headerLine({ log, scope }: ExportHeader): Line {
  const rest = `"content":${canonicalJson({ format: formatName, log, scope, version: formatVersion })}}`
  const chain = sha256(rest)
  return { text: `{"chain":"${chain}",${rest}`, chain }
}

/** What `content` is for an event, and its name: all that follows `chain` but the salt. */
export function contentText({ id, type, data, metadata }: Omit<EventText, 'position'>): string {
  return `"content":{"data":${data},"id":${JSON.stringify(id)},"metadata":${metadata},"type":${JSON.stringify(type)}}`
}

/** The length of what follows in the line then. */
export const saltTextLength = beforeSalt.length + saltLength + saltEnd.length

/** The line of an event whose content and salt were taken out. */
export function redactedLine(before: string, place: ExportPlace, digest: string): Line {
  const at = placeText(place)
  const chain = chainAfter(before, digest, at)
  return { text: `{"at":${at},"chain":"${chain}","digest":"${digest}"}`, chain }
}

export function footerLine(
  before: string,
  footer: ExportFooter,
  sign?: (chain: string) => ExportSignature,
): Line {
  const content = canonicalJson(footer)
  const chain = chainAfter(before, sha256(content), '')
  const signed = sign ? `,${canonicalJson(sign(chain)).slice(1, -1)}` : ''
  return { text: `{"chain":"${chain}","content":${content}${signed}}`, chain }
}

/** Both hashes have one length always, so no two different inputs are the same text. */
export function chainAfter(before: string, digest: string, place: string): string {
  return sha256(before + digest + place)
}

/** How `at` is written. */
export function placeText({ line, revision, stream }: ExportPlace): string {
  return `{"line":${line},"revision":"${revision}","stream":${JSON.stringify(stream)}}`
}
