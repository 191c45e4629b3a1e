import { expect } from 'chai'
import { json } from '../../src/http/exchange.ts'
import { at, createRouter } from '../../src/http/router.ts'

const handler = () => json(200, {})
const match = createRouter([
  at('/api/users/', 'ownView', { GET: handler }),
  at('/api/users/:username/', 'ownView', { GET: handler, PUT: handler, PATCH: handler }),
  at('/api/users/:username/export/', 'ownView', { GET: handler }),
  at('/healthz', 'noStore', { GET: handler }),
])

const found = (target: string) => {
  const matched = match(target)
  return matched && [matched.route.pattern, matched.segment, matched.query]
}

describe('the router', () => {
  it('finds a path with and without the final slash', () => {
    expect(found('/api/users/')).to.deep.equal(['/api/users/', '', ''])
    expect(found('/api/users')).to.deep.equal(['/api/users/', '', ''])
    expect(found('/api/users/ege/')).to.deep.equal(['/api/users/:username/', 'ege', ''])
    expect(found('/api/users/ege')).to.deep.equal(['/api/users/:username/', 'ege', ''])
    expect(found('/healthz/')).to.deep.equal(['/healthz', '', ''])
    expect(found('/api/users/ege/export')).to.deep.equal(['/api/users/:username/export/', 'ege', ''])
  })

  it('gives the query as it was sent', () => {
    expect(found('/api/users/?query=%00&a?b')).to.deep.equal(['/api/users/', '', 'query=%00&a?b'])
    expect(found('/api/users/ege?')).to.deep.equal(['/api/users/:username/', 'ege', ''])
  })

  it('decodes each segment by itself', () => {
    expect(found('/api/%75sers/%C5%9Ea/')?.[1]).to.equal('Şa')
    expect(found('/api/users/a%2Fb/')?.[1]).to.equal('a/b')
    expect(found('/api/users/%zz/')?.[1]).to.equal('%zz')
  })

  it('takes raw bytes, as Node hands them out, for UTF-8', () => {
    expect(found(`/api/users/${Buffer.from('Şa').toString('latin1')}/`)?.[1]).to.equal('Şa')
  })

  it('takes a target with a host, as proxies send it, for its path', () => {
    expect(found('http://roster.example/api/users/?query=a')).to.deep.equal(['/api/users/', '', 'query=a'])
    expect(found('http://roster.example?query=a')).to.equal(null)
  })

  for (const [what, target] of [
    ['another letter case', '/API/users/'],
    ['an empty segment', '/api//users/'],
    ['an empty open segment', '/api/users//'],
    ['two final slashes', '/api/users/ege//'],
    ['a longer path', '/api/users/ege/more/'],
    ['no path', '*'],
    ['nothing', ''],
    ['the root', '/'],
    ['a half character', '/api/users/%C5/'],
    ['an overlong character', '/api/users/%C0%AF/'],
    ['a surrogate', '/api/users/%ED%A0%80/'],
    ['a raw byte that is no UTF-8', '/api/users/\xff/'],
    ['NUL', '/api/users/a%00b/'],
  ] as const) {
    it(`finds nothing for ${what}`, () => expect(found(target)).to.equal(null))
  }

  it('lists the methods of a route, with HEAD where there is GET', () => {
    expect(match('/api/users/ege')?.route.allow).to.equal('GET, PUT, PATCH, HEAD, OPTIONS')
    expect(match('/api/users/ege')?.route.handlers.get('HEAD')).to.equal(handler)
  })
})
