import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { expect } from 'chai'
import { newName } from './people.ts'
import type { StartServer } from './test-server.ts'

export function stoppingCases(start: StartServer): void {
  describe('stopping', () => {
    it('answers the requests under way, and tells their clients to come back on another connection', async () => {
      const server = await start({ HIDE_UNKNOWN_EMAILS: 'on' })
      const body = JSON.stringify({ email: `${newName()}@example.org` })
      const sent = request(`${server.url}/api/password/reset/`, {
        method: 'POST',
        headers: {
          Expect: '100-continue',
          'Content-Type': 'application/json',
          'Content-Length': body.length,
        },
      })
      sent.flushHeaders()
      // The server asks for the body: so it has the request.
      await once(sent, 'continue')
      const stopped = server.stop()
      sent.end(body)
      const answered = await responseTo(sent)
      answered.resume()
      expect(answered.statusCode).to.equal(200)
      expect(answered.headers.connection).to.equal('close')
      await stopped
    })
  })
}

function responseTo(sent: ReturnType<typeof request>): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    sent.once('response', resolve)
    sent.once('error', reject)
  })
}
