import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import { roster } from '../support/run-roster.ts'
import { register, withLogIn } from '../support/sample-log.ts'
import { withTemporaryFolder } from '../support/temporary-folder.ts'

/** A port where nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const closed = once(server, 'close')
  server.close()
  await closed
  if (typeof address === 'object' && address) return address.port
  throw new Error(`expected a port, found ${address}`)
}

/** A folder with a log in `data`, an export of it and a list of users. */
function withFiles(use: (at: (name: string) => string) => Promise<void>): Promise<void> {
  return withTemporaryFolder(async folder => {
    const at = (name: string) => join(folder, name)
    await withLogIn(at('data'), store => register(store, 1))
    await roster({ DATA_DIR: at('data') }, ['export', '--out', at('log.ndjson')])
    await writeFile(at('users.ndjson'), '{"username":"ege","password_hash":"!"}\n')
    await use(at)
  })
}

async function expectUnreachable(environment: Record<string, string>, args: readonly string[]) {
  const { code, stderr } = await roster({ JWT_SECRET: 'x'.repeat(32), ...environment }, args)
  expect(code, `${args.join(' ')}: ${stderr}`).to.equal(3)
  // A line for a person, not where in the code it was found.
  expect(stderr)
    .to.match(/^roster: .+\n$/m)
    .and.not.match(/^ +at /m)
}

describe('a tool whose store is out of reach', () => {
  it('ends with 3 where the event store does not answer', () =>
    withFiles(async at => {
      const environment = { EVENTSTORE_URL: `esdb://127.0.0.1:${await closedPort()}?tls=false` }
      const tools = [
        ['show', '1'],
        ['export', '--out', at('copy.ndjson')],
        ['import', at('log.ndjson')],
        ['import-users', at('users.ndjson')],
        ['seed', '--users', '1'],
        ['user', 'disable', '1'],
      ]
      await Promise.all(tools.map(args => expectUnreachable(environment, args)))
    }))

  it('ends with 3 where the read store does not answer', () =>
    withFiles(async at => {
      const url = `mongodb://127.0.0.1:${await closedPort()}/roster?serverSelectionTimeoutMS=500`
      const environment = { DATA_DIR: at('data'), MONGODB_URL: url }
      const tools = [['verify'], ['parked'], ['audit', '--all'], ['replay']]
      await Promise.all(tools.map(args => expectUnreachable(environment, args)))
    }))

  it('ends with 3 where there is no log', () =>
    withTemporaryFolder(async folder => {
      const tools = [['show', '1'], ['verify'], ['parked'], ['replay'], ['user', 'disable', '1']]
      for (const args of tools) await expectUnreachable({ DATA_DIR: join(folder, 'none') }, args)
    }))

  it('ends with 2 where the environment is wrong', () =>
    withFiles(async at => {
      const environment = { DATA_DIR: at('data'), PROJECTOR_PARTITIONS: 'x' }
      for (const args of [
        ['show', '1'],
        ['verify'],
        ['parked'],
        ['import', at('log.ndjson')],
        ['import-users', at('users.ndjson')],
        ['seed', '--users', '1'],
      ]) {
        const { code, stderr } = await roster(environment, args)
        expect(code, args.join(' ')).to.equal(2)
        expect(stderr).to.match(/^roster: the environment is wrong: .+\n$/)
      }
    }))
})
