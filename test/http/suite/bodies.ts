import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { expect } from 'chai'
import { outcome, sendBytes } from '../../support/http-client.ts'
import type { Running } from './test-server.ts'

const path = '/api/token/obtain/'
const noSuchUser = {
  status: 401,
  body: { detail: 'No active account found with the given credentials' },
}
const needsBoth = {
  status: 400,
  body: { username: ['This field is required.'], password: ['This field is required.'] },
}
const tooLarge = { status: 413, body: { detail: 'Request body too large.' } }
const limit = 64 * 1024
const json = { 'Content-Type': 'application/json' }

/** A JSON body of exactly so many bytes. */
const bodyOf = (bytes: number) =>
  JSON.stringify({ username: 'a', password: 'b', x: '' }).replace('"x":""', `"x":"${'x'.repeat(bytes - 38)}"`)

export function bodyCases(running: Running): void {
  const send = async (raw: string | Buffer, headers: Record<string, string> = json, chunked = false) =>
    outcome(await running().client.ask('POST', path, { raw, headers, chunked }))

  describe('a body', () => {
    it('is JSON or a form', async () => {
      expect(await send('{"username":"a","password":"b"}')).to.deep.equal(noSuchUser)
      const form = { 'Content-Type': 'application/x-www-form-urlencoded' }
      expect(await send('username=a&password=b', form)).to.deep.equal(noSuchUser)
    })

    it('has its type in any letter case and with any parameters', async () => {
      const type = 'Application/JSON ; charset=utf-8'
      expect(await send('{"username":"a","password":"b"}', { 'Content-Type': type })).to.deep.equal(
        noSuchUser,
      )
    })

    it('may be a form that repeats a field: the last counts', async () => {
      const form = { 'Content-Type': 'application/x-www-form-urlencoded' }
      const body = { username: ['This field may not be blank.'] }
      expect(await send('username=a&password=b&username=+', form)).to.deep.equal({ status: 400, body })
    })

    it('is {} if it is empty, whatever its type is', async () => {
      expect(await send('', { 'Content-Type': 'text/plain' })).to.deep.equal(needsBoth)
      expect(await send('', { 'Content-Type': 'text/plain' }, true)).to.deep.equal(needsBoth)
      expect(outcome(await running().client.ask('POST', path))).to.deep.equal(needsBoth)
      expect(await send('{}')).to.deep.equal(needsBoth)
    })

    for (const type of ['text/plain', 'multipart/form-data', 'application/xml', 'json', '__proto__']) {
      it(`is refused with 415 as ${type}`, async () => {
        const detail = `Unsupported media type "${type}" in request.`
        expect(await send('{}', { 'Content-Type': type })).to.deep.equal({ status: 415, body: { detail } })
      })
    }

    it('is refused with 415 without a type', async () => {
      const detail = 'Unsupported media type "" in request.'
      expect(await send('{}', {})).to.deep.equal({ status: 415, body: { detail } })
    })

    for (const [what, raw] of [
      ['half', '{"username":'],
      ['white space', ' '],
      ['not quoted', '{username:1}'],
      ['NaN', '{"username":NaN}'],
      ['a comma too many', '{"username":"a",}'],
      ['not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
    ] as const) {
      it(`is refused with 400 if its JSON is unreadable: ${what}`, async () => {
        const answered = await running().client.ask('POST', path, { raw, headers: json })
        expect(answered.status).to.equal(400)
        expect(answered.body).to.have.all.keys('detail')
        expect(answered.text).to.match(/^\{"detail":"JSON parse error - ./)
      })
    }

    for (const [raw, message] of [
      ['[{}]', 'Invalid data. Expected a dictionary, but got list.'],
      ['"a"', 'Invalid data. Expected a dictionary, but got str.'],
      ['5', 'Invalid data. Expected a dictionary, but got int.'],
      ['-1e3', 'Invalid data. Expected a dictionary, but got float.'],
      ['5.0', 'Invalid data. Expected a dictionary, but got float.'],
      ['true', 'Invalid data. Expected a dictionary, but got bool.'],
      ['null', 'No data provided'],
    ] as const) {
      it(`is refused with 400 if it is no object: ${raw}`, async () => {
        expect(await send(raw)).to.deep.equal({ status: 400, body: { non_field_errors: [message] } })
      })
    }

    it('may have 64 KiB', async () => {
      expect(bodyOf(limit)).to.have.lengthOf(limit)
      expect(await send(bodyOf(limit))).to.deep.equal(noSuchUser)
      expect(await send(bodyOf(limit), json, true)).to.deep.equal(noSuchUser)
    })

    it('is refused with 413 if it has more, in one piece, in chunks or compressed', async () => {
      expect(await send(bodyOf(limit + 1))).to.deep.equal(tooLarge)
      expect(await send(bodyOf(limit + 1), json, true)).to.deep.equal(tooLarge)
      expect(await send(bodyOf(1_000_000), json, true)).to.deep.equal(tooLarge)
      const bomb = gzipSync(bodyOf(10_000_000))
      expect(await send(bomb, { ...json, 'Content-Encoding': 'gzip' })).to.deep.equal(tooLarge)
    })

    it('leaves its connection usable when it was too large', async () => {
      const head = `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n`
      const large = `${head}Content-Length: ${limit + 1}\r\n\r\n${bodyOf(limit + 1)}`
      const text = await sendBytes(
        '127.0.0.1',
        running().port,
        `${large}${head}Content-Length: 2\r\nConnection: close\r\n\r\n{}`,
      )
      expect(text.match(/HTTP\/1\.1 \d+/g)).to.deep.equal(['HTTP/1.1 413', 'HTTP/1.1 400'])
    })

    it('may be compressed', async () => {
      const plain = '{"username":"a","password":"b"}'
      for (const [coding, compressed] of [
        ['gzip', gzipSync(plain)],
        ['x-gzip', gzipSync(plain)],
        ['deflate', deflateSync(plain)],
        ['br', brotliCompressSync(plain)],
        ['Identity', Buffer.from(plain)],
      ] as const) {
        expect(await send(compressed, { ...json, 'Content-Encoding': coding }), coding).to.deep.equal(
          noSuchUser,
        )
      }
    })

    it('is refused if it cannot be decompressed', async () => {
      const broken = await send('{}', { ...json, 'Content-Encoding': 'gzip' })
      expect(broken).to.deep.equal({ status: 400, body: { detail: 'Body is not valid gzip.' } })
      const unknown = await send('{}', { ...json, 'Content-Encoding': 'zip' })
      const detail = 'Unsupported content coding "zip" in request.'
      expect(unknown).to.deep.equal({ status: 415, body: { detail } })
    })

    it('is asked for only once nothing speaks against it, if its client waits for that', async () => {
      const head = `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n`
      const port = running().port
      const small = await sendBytes(
        '127.0.0.1',
        port,
        `${head}Content-Length: 2\r\nConnection: close\r\n\r\n{}`,
      )
      expect(small.match(/HTTP\/1\.1 \d+/g)).to.deep.equal(['HTTP/1.1 100', 'HTTP/1.1 400'])
      const large = await sendBytes(
        '127.0.0.1',
        port,
        `${head}Content-Length: 99999\r\nConnection: close\r\n\r\n`,
      )
      expect(large.match(/HTTP\/1\.1 \d+/g)).to.deep.equal(['HTTP/1.1 413'])
    })

    it('may have unknown fields, __proto__ among them, which count for nothing', async () => {
      expect(await send('{"__proto__":{"username":"a","password":"b"},"constructor":1}')).to.deep.equal(
        needsBoth,
      )
      const form = { 'Content-Type': 'application/x-www-form-urlencoded' }
      expect(await send('__proto__=1&__proto__[username]=a', form)).to.deep.equal(needsBoth)
    })

    it('may be nested as deep as it likes', async () => {
      const deep = `{"username":${'['.repeat(30_000)}${']'.repeat(30_000)},"password":"b"}`
      expect(await send(deep)).to.deep.equal({ status: 400, body: { username: ['Not a valid string.'] } })
    })
  })
}
