import { isIPv4, isIPv6 } from 'node:net'

/** The bits that addresses of one network have in common. */
export type NetworkBits = { ipv4: number; ipv6: number }

/**
 * The network an address is in, as `192.0.2.0/24` or `2001:db8:1::/48`; null if it is no address. An IPv4 address in
 * IPv6's clothes (`::ffff:192.0.2.1`) counts as what it is.
 */
export function networkOf(address: string, bits: NetworkBits): string | null {
  const [bare = ''] = address.split('%', 1)
  const groups = isIPv6(bare) ? groupsOf(bare) : null
  const ipv4 = isIPv4(bare) ? bare : groups && mappedIPv4(groups)
  if (ipv4 !== null) {
    const masked = mask(ipv4.split('.').map(Number), 8, bits.ipv4)
    return `${masked.join('.')}/${bits.ipv4}`
  }
  return groups && `${shortest(mask(groups, 16, bits.ipv6))}/${bits.ipv6}`
}

/** The eight groups of a valid IPv6 address. */
function groupsOf(address: string): number[] {
  const inHex = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_all, ...parts: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = parts.slice(0, 4).map(Number)
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`
  })
  const [head = '', tail] = inHex.split('::')
  const parse = (text: string) =>
    text === '' ? [] : text.split(':').map(group => Number.parseInt(group, 16))
  if (tail === undefined) return parse(head)
  const [first, last] = [parse(head), parse(tail)]
  return [...first, ...new Array<number>(8 - first.length - last.length).fill(0), ...last]
}

function mappedIPv4(groups: readonly number[]): string | null {
  const [high = 0, low = 0] = groups.slice(6)
  const isMapped = groups.slice(0, 5).every(group => group === 0) && groups[5] === 0xffff
  return isMapped ? [high >> 8, high & 255, low >> 8, low & 255].join('.') : null
}

/** The parts with all but the first `bits` bits set to 0. */
function mask(parts: readonly number[], bitsEach: number, bits: number): number[] {
  return parts.map((part, index) => {
    const keep = Math.min(bitsEach, Math.max(0, bits - index * bitsEach))
    return part & ~(2 ** (bitsEach - keep) - 1)
  })
}

/** As RFC 5952 writes it, which is how URLs have it. */
function shortest(groups: readonly number[]): string {
  const text = groups.map(group => group.toString(16)).join(':')
  return new URL(`http://[${text}]`).hostname.slice(1, -1)
}
