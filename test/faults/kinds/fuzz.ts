import { randomInt } from 'node:crypto'
import fc from 'fast-check'
import { anyRequest } from '../../support/fuzzing/any-request.ts'
import type { ApiDocument } from '../../support/fuzzing/api-document.ts'
import { createCompareAnswer } from '../../support/fuzzing/compare-answer.ts'
import { documentedRequest, type Known } from '../../support/fuzzing/documented-request.ts'
import { createHttpClient, sendBytes, textIn } from '../../support/http-client.ts'
import type { Fault } from '../fault.ts'
import { inParallel } from '../load/in-parallel.ts'
import { newAttempt } from '../load/members.ts'

const batch = 500
const atOnce = 12
const examplesShown = 300

/** Requests over all routes and beyond them, half of them as the document has it: each answer is compared with it. */
export const fuzz: Fault['commit'] = async ({ service, underLoad, ledger }, { fuzzRequests }) => {
  const url = service.url()
  const { port } = new URL(url)
  const client = createHttpClient(url)
  const document: ApiDocument = JSON.parse((await client.get('/openapi.json')).text)
  const compare = createCompareAnswer(document)
  const paths = Object.keys(document.paths).map(path => path.replace(/\{\w+\}/, 'somebody'))
  const seed = randomInt(2 ** 31)
  const problems = new Map<string, { times: number; example: string }>()
  await underLoad(
    async () => {
      for (let sent = 0, n = 0; sent < fuzzRequests; sent += batch, n++) {
        const person = await newPerson(client)
        const requests = fc.sample(fc.oneof(documentedRequest(document, person), anyRequest(person, paths)), {
          seed: seed + n,
          numRuns: Math.min(batch, fuzzRequests - sent),
        })
        await inParallel(requests, atOnce, async ({ bytes, ...asked }) => {
          const answer = await sendBytes('127.0.0.1', Number(port), bytes).catch(String)
          const problem = compare(asked, answer)
          if (problem === null) return
          const kind = `${asked.method} ${asked.target.slice(0, 30)}: ${problem.slice(0, 60)}`
          const { times, example } = problems.get(kind) ?? {
            times: 0,
            example: `${problem}; sent ${shown(bytes)}`,
          }
          problems.set(kind, { times: times + 1, example })
        })
      }
    },
    { clients: 1, pauseMs: 200 },
  )
  client.close()
  for (const [kind, { times, example }] of problems)
    ledger.violations.push(`fuzzing, ${times} × ${kind}\n  ${example}`)
  return `${fuzzRequests} requests from seed ${seed}: ${problems.size} kinds of wrong answers`
}

async function newPerson(client: ReturnType<typeof createHttpClient>): Promise<Known> {
  const { username, email, password } = newAttempt()
  await client.post('/api/user/create/', { username, email, password })
  const tokens = await client.post('/api/token/obtain/', { username, password })
  const profile = await client.get(`/api/users/${username}/`)
  const id = Number(/"id":(\d+)/.exec(profile.text)?.[1])
  const [access, refresh] = [textIn(tokens, 'access'), textIn(tokens, 'refresh')]
  return { id, username, email, password, access, refresh, path: `/api/users/${username}/` }
}

function shown(bytes: Buffer): string {
  return JSON.stringify(bytes.subarray(0, examplesShown).toString('latin1'))
}
