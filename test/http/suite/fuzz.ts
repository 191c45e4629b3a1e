import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect } from 'chai'
import fc from 'fast-check'
import { anyRequest } from '../../support/fuzzing/any-request.ts'
import type { ApiDocument } from '../../support/fuzzing/api-document.ts'
import { createCompareAnswer, statusOf } from '../../support/fuzzing/compare-answer.ts'
import { keysAndTagsOf } from '../../support/fuzzing/conditional-headers.ts'
import { sendBytes } from '../../support/http-client.ts'
import { routes } from './everywhere.ts'
import { newPerson } from './people.ts'
import { type StartServer, withServer } from './test-server.ts'

const requests = 2000
const atOnce = 10
/** Nothing goes wrong: two stalls of the machine beyond a deadline, which all that is under way then misses. */
const mayBeBusy = 2 * atOnce
const mayGrowBy = 16 * 1024 * 1024

export function fuzzCases(start: StartServer): void {
  describe('whatever is sent', () => {
    const running = withServer(start)

    it('is answered as the document has it, and is not remembered', async () => {
      const { client, port } = running()
      const registered = await newPerson(running())
      const known = await keysAndTagsOf(client, registered.path, registered.access)
      const document: ApiDocument = JSON.parse((await client.get('/openapi.json')).text)
      const compare = createCompareAnswer(document)
      const paths = routes.map(([path]) => path)
      const one = anyRequest({ ...registered, ...known }, paths)
      const batch = fc.array(one, { minLength: atOnce, maxLength: atOnce, size: 'max' })
      let busy = 0
      const run = (numRuns: number) =>
        fc.assert(
          fc.asyncProperty(batch, async sent => {
            const answers = await Promise.all(sent.map(({ bytes }) => sendBytes('127.0.0.1', port, bytes)))
            busy += answers.filter(answer => statusOf(answer) === 503).length
            const problems = sent.map((asked, n) => compare(asked, answers[n] ?? ''))
            expect(problems.filter(problem => problem !== null)).to.deep.equal([])
          }),
          { numRuns },
        )
      await run(requests / atOnce / 4)
      const before = usedMemory()
      await run((requests / atOnce) * (3 / 4))
      expect(usedMemory() - before).to.be.below(mayGrowBy)
      expect(busy, '503').to.be.at.most(mayBeBusy)
    }).timeout(60_000)
  })
}

/** Bytes on the heap that are in use. */
function usedMemory(): number {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  collect()
  return process.memoryUsage().heapUsed
}
