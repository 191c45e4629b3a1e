import { expect } from 'chai'
import { goodPassword, newName } from './people.ts'
import { type StartServer, withServer } from './test-server.ts'

/** As slow as hashes are in use, so that those at work keep the others waiting. */
const slowHashes = { ARGON2_MEMORY_KIB: '19456', ARGON2_TIME_COST: '2' }

export function overloadCases(start: StartServer): void {
  for (const [what, environment, someAreServed] of [
    ['with more passwords to hash than may wait', { HASH_QUEUE_LIMIT: '1' }, true],
    // On a busy machine it may be shorter than anything.
    ['with a COMMAND_TIMEOUT_MS shorter than the wait for a hash', { COMMAND_TIMEOUT_MS: '10' }, false],
  ] as const) {
    describe(what, () => {
      const running = withServer(start, { ...slowHashes, ...environment })

      it('each login is either served or told to come again', async () => {
        const { client } = running()
        const login = () => client.post('/api/token/obtain/', { username: newName(), password: goodPassword })
        const answers = await Promise.all(Array.from({ length: 20 }, login))
        const refused = answers.filter(({ status }) => status === 503)
        expect(refused).not.to.have.lengthOf(0)
        for (const { body, headers } of refused) {
          expect(body).to.deep.equal({ detail: 'Service temporarily unavailable.' })
          expect(headers['retry-after']).to.match(/^\d+$/)
        }
        const served = answers.filter(({ status }) => status === 401)
        expect(served).to.have.lengthOf(answers.length - refused.length)
        if (someAreServed) expect(served).not.to.have.lengthOf(0)
      })
    })
  }
}
