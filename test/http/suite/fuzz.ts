import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect } from 'chai'
import fc from 'fast-check'
import { anyRequest } from '../../support/fuzzing/any-request.ts'
import { sendBytes } from '../../support/http-client.ts'
import { routes } from './everywhere.ts'
import { newPerson } from './people.ts'
import { type StartServer, withServer } from './test-server.ts'

const requests = 2000
const atOnce = 10
const mayGrowBy = 16 * 1024 * 1024

export function fuzzCases(start: StartServer): void {
  describe('whatever is sent', () => {
    const running = withServer(start)

    it('is never answered with a 5xx other than 503, and is not remembered', async () => {
      const person = await newPerson(running())
      const { port } = running()
      const paths = routes.map(([path]) => path)
      const batch = fc.array(anyRequest(person, paths), { minLength: atOnce, maxLength: atOnce, size: 'max' })
      const run = (numRuns: number) =>
        fc.assert(
          fc.asyncProperty(batch, async sent => {
            const answers = await Promise.all(sent.map(({ bytes }) => sendBytes('127.0.0.1', port, bytes)))
            for (const answer of answers) expectSound(answer)
          }),
          { numRuns },
        )
      await run(requests / atOnce / 4)
      const before = usedMemory()
      await run((requests / atOnce) * (3 / 4))
      expect(usedMemory() - before).to.be.below(mayGrowBy)
    }).timeout(60_000)
  })
}

function expectSound(answer: string): void {
  const [head = '', ...rest] = answer.replace(/^(?:HTTP\/1\.1 100 Continue\r\n\r\n)*/, '').split('\r\n\r\n')
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1])
  expect(status, head).to.be.within(200, 503)
  if (status >= 500) expect(status, head).to.equal(503)
  if (status === 503) expect(head).to.match(/^retry-after: \d+\r?$/im)
  expect(head).to.match(/^x-request-id: [A-Za-z0-9._-]{1,128}\r?$/im)
  const body = rest.join('\r\n\r\n')
  const isJson = /^content-type: application\/json\r?$/im.test(head)
  if (isJson && body !== '') JSON.parse(body)
}

/** Bytes on the heap that are in use. */
function usedMemory(): number {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  collect()
  return process.memoryUsage().heapUsed
}
