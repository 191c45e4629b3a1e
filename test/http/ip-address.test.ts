import { expect } from 'chai'
import fc from 'fast-check'
import { networkOf } from '../../src/http/ip-address.ts'

const bits = { ipv4: 24, ipv6: 48 }

describe('The network of an address', () => {
  for (const [address, network] of [
    ['192.0.2.1', '192.0.2.0/24'],
    ['255.255.255.255', '255.255.255.0/24'],
    ['::ffff:192.0.2.1', '192.0.2.0/24'],
    ['::ffff:c000:201', '192.0.2.0/24'],
    ['::1', '::/48'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1::/48'],
    ['2001:DB8::1', '2001:db8::/48'],
    ['2001:0db8:0001::', '2001:db8:1::/48'],
    ['fe80::1%eth0', 'fe80::/48'],
    ['64:ff9b::192.0.2.1', '64:ff9b::/48'],
  ] as const) {
    it(`is ${network} for ${address}`, () => expect(networkOf(address, bits)).to.equal(network))
  }

  for (const text of ['', 'x', '1.2.3', '1.2.3.4.5', '256.1.1.1', '1::2::3', ':', '127.0.0.1:80', '[::1]']) {
    it(`is none for ${JSON.stringify(text)}`, () => expect(networkOf(text, bits)).to.equal(null))
  }

  it('is the address itself when all bits count', () => {
    const all = { ipv4: 32, ipv6: 128 }
    fc.assert(
      fc.property(fc.ipV4(), address => {
        expect(networkOf(address, all)).to.equal(`${address}/32`)
      }),
    )
    fc.assert(
      fc.property(fc.ipV6(), address => {
        const [network = ''] = networkOf(address, all)?.split('/') ?? []
        expect(networkOf(network, all)).to.equal(networkOf(address, all))
      }),
    )
  })

  it('is one for all addresses that begin alike', () => {
    const group = fc.integer({ min: 0, max: 0xffff }).map(value => value.toString(16))
    const groups = (count: number) => fc.array(group, { minLength: count, maxLength: count })
    fc.assert(
      fc.property(groups(4), groups(4), groups(4), (network, one, other) => {
        fc.pre(network.some(part => part !== '0'))
        const of = (rest: string[]) => networkOf([...network, ...rest].join(':'), { ipv4: 24, ipv6: 64 })
        expect(of(one)).to.equal(of(other))
      }),
    )
  })
})
