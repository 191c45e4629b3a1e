import { randomInt } from 'node:crypto'
import fc from 'fast-check'
import { type AnyRequest, anyRequest } from '../../support/fuzzing/any-request.ts'
import type { ApiDocument } from '../../support/fuzzing/api-document.ts'
import { createCompareAnswer, statusOf } from '../../support/fuzzing/compare-answer.ts'
import { keysAndTagsOf } from '../../support/fuzzing/conditional-headers.ts'
import { documentedRequests, type Known } from '../../support/fuzzing/documented-requests.ts'
import { createHttpClient, sendBytes, textIn } from '../../support/http-client.ts'
import type { Fault } from '../fault.ts'
import { inParallel } from '../load/in-parallel.ts'
import { newAttempt } from '../load/members.ts'

/** Of requests as one person, whose session ends or who is erased on the way sooner or later. */
const batch = 50
const atOnce = 12
const examplesShown = 300
/**
 * In a hundred answers: 503 at most. Nothing goes wrong here, and what is under way is far below what Roster takes. But a
 * machine that is busy with other faults may stall beyond a deadline, which is then missed by all that is under way: in a
 * quick run there is room for three such moments.
 */
const mostBusy = 2
/** In a hundred answers: 2xx at least, or what is refused at the door is all that was looked at. About 15 are usual. */
const fewestAccepted = 5

/** Requests over all routes and beyond them, half of them as the document has it: each answer is compared with it. */
export const fuzz: Fault['commit'] = async ({ service, underLoad, ledger }, { fuzzRequests }) => {
  const url = service.url()
  const { port } = new URL(url)
  const client = createHttpClient(url)
  const document: ApiDocument = JSON.parse((await client.get('/openapi.json')).text)
  const paths = Object.keys(document.paths).map(path => path.replace(/\{\w+\}/, 'somebody'))
  const seed = randomInt(2 ** 31)
  const answers = createAnswers(document)
  await underLoad(
    async () => {
      for (let n = 0; answers.count() < fuzzRequests; n++) {
        const person = await newPerson(client)
        const single = anyRequest(person, paths).map(request => [request])
        const series = fc.sample(fc.oneof(documentedRequests(document, person), single), {
          seed: seed + n,
          numRuns: Math.min(batch, fuzzRequests - answers.count()),
        })
        await inParallel(series, atOnce, async requests => {
          for (const request of requests)
            answers.note(request, await sendBytes('127.0.0.1', Number(port), request.bytes).catch(String))
        })
      }
    },
    { clients: 1, pauseMs: 200 },
  )
  client.close()
  ledger.violations.push(...answers.violations())
  return `seed ${seed}: ${answers.told()}`
}

/** Compares answers with the document, and counts them. */
function createAnswers(document: ApiDocument) {
  const compare = createCompareAnswer(document)
  const problems = new Map<string, { times: number; example: string }>()
  const statuses = new Map<number, number>()
  const having = (isCounted: (status: number) => boolean) =>
    [...statuses].reduce((sum, [status, times]) => sum + (isCounted(status) ? times : 0), 0)
  const count = () => having(() => true)
  const accepted = () => having(status => status >= 200 && status < 300)
  const busy = () => statuses.get(503) ?? 0

  return {
    count,

    note({ bytes, ...asked }: AnyRequest, answer: string): void {
      const status = statusOf(answer) ?? 0
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
      const problem = compare(asked, answer)
      if (problem === null) return
      const kind = `${asked.method} ${asked.target.slice(0, 30)}: ${problem.slice(0, 60)}`
      const { times, example } = problems.get(kind) ?? {
        times: 0,
        example: `${problem}; sent ${shown(bytes)}`,
      }
      problems.set(kind, { times: times + 1, example })
    },

    violations(): string[] {
      const found = [...problems].map(
        ([kind, { times, example }]) => `fuzzing, ${times} × ${kind}\n  ${example}`,
      )
      if (busy() * 100 > count() * mostBusy)
        found.push(`fuzzing: expected 503 in at most ${mostBusy} % of ${count()} answers, found ${busy()}`)
      if (accepted() * 100 < count() * fewestAccepted)
        found.push(
          `fuzzing: expected 2xx in at least ${fewestAccepted} % of ${count()} answers, found ${accepted()}`,
        )
      return found
    },

    /** Each status and how many answers had it. */
    told(): string {
      const each = [...statuses]
        .toSorted(([a], [b]) => a - b)
        .map(([status, times]) => `${times} × ${status}`)
      return `${problems.size} kinds of wrong answers; ${busy()} × 503 in ${count()}: ${each.join(', ')}`
    },
  }
}

async function newPerson(client: ReturnType<typeof createHttpClient>): Promise<Known> {
  const { username, email, password } = newAttempt()
  await client.post('/api/user/create/', { username, email, password })
  const tokens = await client.post('/api/token/obtain/', { username, password })
  const profile = await client.get(`/api/users/${username}/`)
  const id = Number(/"id":(\d+)/.exec(profile.text)?.[1])
  const [access, refresh] = [textIn(tokens, 'access'), textIn(tokens, 'refresh')]
  const path = `/api/users/${username}/`
  const known = await keysAndTagsOf(client, path, access)
  return { id, username, email, password, access, refresh, path, ...known }
}

function shown(bytes: Buffer): string {
  return JSON.stringify(bytes.subarray(0, examplesShown).toString('latin1'))
}
