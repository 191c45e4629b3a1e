import { createHash } from 'node:crypto'

const rosterNamespace = Buffer.from('8a0f5d9a3c6b4f0e9d5c2b7e61a4c8f3', 'hex')

/** The UUID version 5 of a name in Roster's own namespace (RFC 9562, section 5.5). */
export function uuid5(name: string): string {
  const bytes = createHash('sha1').update(rosterNamespace).update(name).digest().subarray(0, 16)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x50
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** The id of an event that a command appends, by the command's key and the event's place among those it appends. */
export function eventId(event: { stream: string; type: string }, key: string, index: number): string {
  return uuid5(`${event.stream}\n${event.type}\n${key}\n${index}`)
}
