import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import type { Client } from '../account/sessions.ts'
import { type NetworkBits, networkOf } from './ip-address.ts'

const longestDevice = 200
/** Enough to tell one's own places apart, too little to find a person by. */
const rangeBits: NetworkBits = { ipv4: 24, ipv6: 48 }
/** What one client has: of IPv6 rarely fewer addresses than these. */
const clientBits: NetworkBits = { ipv4: 32, ipv6: 64 }

/** Whose hands a session is in, as its list of sessions will tell the user. */
export type ClientOf = (exchange: { req: IncomingMessage }) => Client

export function createClientOf(trustProxy: boolean): ClientOf {
  return ({ req }) => ({
    device: deviceOf(req.headers['user-agent']),
    addressRange: networkOf(clientAddress(req, trustProxy), rangeBits) ?? '',
  })
}

/** By what a client is counted, '' for a connection that is gone. */
export function clientNetwork(req: IncomingMessage, trustProxy: boolean): string {
  return networkOf(clientAddress(req, trustProxy), clientBits) ?? ''
}

/**
 * The address that a request counts for: that of the connection or, behind a proxy that is trusted, the one that
 * this proxy added to `X-Forwarded-For`, which is the last. '' for a connection that is gone.
 */
export function clientAddress(req: IncomingMessage, trustProxy: boolean): string {
  const added = trustProxy ? lastOf(req.headers['x-forwarded-for']) : ''
  const address = added.replace(/^\[(.*)\](?::\d+)?$/, '$1').replace(/^([\d.]+):\d+$/, '$1')
  return isIP(address) === 0 ? (req.socket.remoteAddress ?? '') : address
}

function lastOf(header: string | string[] | undefined): string {
  return (
    String(header ?? '')
      .slice(-1000)
      .split(',')
      .at(-1)
      ?.trim() ?? ''
  )
}

/** What the client calls itself, in printable characters and not for ever. */
function deviceOf(userAgent: string | undefined): string {
  const printable = (userAgent ?? '').replace(/[\p{C}\s]+/gu, ' ').trim()
  return [...printable].slice(0, longestDevice).join('').trim()
}
