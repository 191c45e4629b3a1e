import { randomUUID } from 'node:crypto'

/** The caller's own id for a request if it is a harmless one, else a new one. */
export function requestId(sent: string | string[] | undefined): string {
  return typeof sent === 'string' && /^[A-Za-z0-9._-]{1,128}$/.test(sent) ? sent : randomUUID()
}
