import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { type Composition, runCompose, variablesIn } from '../support/compose/run-compose.ts'
import { eventually } from '../support/eventually.ts'
import { createHttpClient } from '../support/http-client.ts'
import { mongodbUrl } from './stores.ts'

const run = promisify(execFile)
const inRepository = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))

const serverUrl = mongodbUrl
if (serverUrl !== undefined) {
  describe("docker-compose.yml's environment and commands, without Docker", function () {
    this.timeout(180_000)
    let composition: Composition

    before(async () => {
      const example = await readFile(inRepository('.env.example'), 'utf8')
      const secret = 'JWT_SECRET=a secret for tests, of more than 32 bytes'
      const variables = variablesIn(example.replace(/^JWT_SECRET=$/m, secret))
      composition = await runCompose({ variables, mongodbUrl: serverUrl, onItsPorts: false })
    })
    after(() => composition?.stop())

    /** The first commands of the README, sent to one of the APIs. */
    async function firstCurls(url: string): Promise<string[]> {
      const readme = await readFile(inRepository('README.md'), 'utf8')
      const [block = ''] = /(?:^ {4}.*curl.*\n(?: {4}.*\n)*)/m.exec(readme) ?? []
      const commands = block
        .replaceAll(/\\\n\s*/g, ' ')
        .trimEnd()
        .split('\n')
      return commands.map(command => command.trim().replaceAll('http://127.0.0.1:8000', url))
    }

    it('run two of the API, two projectors and a mailer', () => {
      const services = composition.processes().map(({ service }) => service)
      expect(services.sort()).to.deep.equal(['api', 'api', 'mailer', 'projector', 'projector'])
      expect(composition.urls('api')).to.have.length(2)
    })

    it("serve the README's first curls", async () => {
      const [url = '', another = ''] = composition.urls('api')
      const answers: string[] = []
      for (const command of await firstCurls(url)) {
        answers.push((await run('bash', ['-c', command])).stdout)
      }
      expect(answers).to.have.length(3)
      expect(answers[0]).to.match(/^HTTP\/1\.1 201 Created\r\n/)
      const registered = { username: 'egekaya', first_name: 'Ege' }
      const shown = JSON.parse(answers[1] ?? '')
      expect(shown).to.deep.include(registered)
      expect(JSON.parse(answers[2] ?? '')).to.deep.equal([
        { id: shown.id, username: 'egekaya', avatar: '', privacy: false },
      ])
      const onAnother = createHttpClient(another)
      expect((await onAnother.get('/api/users/egekaya/')).body).to.deep.include(registered)
      onAnother.close()
    })

    it('mail what was asked for', async () => {
      const client = createHttpClient(composition.urls('api')[1] ?? 'expected two of the API')
      const email = 'mailed@example.org'
      await client.post('/api/user/create/', { username: 'mailed', email, password: 'Bosphorus-1453' })
      expect((await client.post('/api/password/reset/', { email })).status).to.equal(200)
      await eventually(() => expect(composition.mails.map(({ to }) => to)).to.deep.include([email]), 30_000)
      client.close()
    })
  })
}
