import { join } from 'node:path'
import { expect } from 'chai'
import { newPerson } from '../http/suite/people.ts'
import type { TestServer } from '../http/suite/test-server.ts'
import { startEventStoreDB } from '../support/eventstoredb/server.ts'
import { eventually } from '../support/eventually.ts'
import { startServer } from '../support/server.ts'
import { withTemporaryFolder } from '../support/temporary-folder.ts'

describe('/readyz', () => {
  const servers: TestServer[] = []
  afterEach(async () => {
    await Promise.all(servers.splice(0).map(server => server.stop()))
  })

  async function start(environment: Record<string, string> = {}): Promise<TestServer> {
    const server = await startServer(environment)
    servers.push(server)
    return server
  }

  async function readiness({ opsUrl }: TestServer) {
    const answer = await fetch(`${opsUrl}/readyz`)
    return { status: answer.status, body: JSON.stringify(await answer.json()) }
  }

  it('says ready when both stores answer and the read models are close behind', async () => {
    const server = await start()
    await eventually(async () => {
      const { status, body } = await readiness(server)
      expect(status, body).to.equal(200)
      expect(body).to.include('"status":"ready"').and.to.include('"projection profiles":{"ok":true}')
    })
  })

  it('says what is missing while a store does not answer, as the metrics do, and ready again by itself', async () => {
    const eventstoredb = await startEventStoreDB()
    const server = await start({ EVENTSTORE_URL: eventstoredb.url })
    await eventually(async () => expect((await readiness(server)).status).to.equal(200), 30_000)
    await server.client.get('/healthz')
    await eventstoredb.goDown()
    const [{ status, body }, metrics] = await Promise.all([
      readiness(server),
      fetch(`${server.opsUrl}/metrics`),
    ])
    expect(status).to.equal(503)
    expect(await metrics.text())
      .to.match(/^roster_http_requests_total/m)
      .and.to.not.match(/^roster_projection_lag_seconds/m)
    expect(body).to.include('"event store":{"ok":false').and.to.include('"read store":{"ok":true}')
    expect((await server.client.get('/healthz')).status).to.equal(200)
    await eventstoredb.comeUp()
    await eventually(async () => expect((await readiness(server)).status).to.equal(200), 30_000)
    await servers.pop()?.stop()
    await eventstoredb.stop()
  })

  it('says not ready while a read model is further behind than READY_MAX_LAG_SECONDS', () =>
    withTemporaryFolder(async folder => {
      const variables = { DATA_DIR: join(folder, 'data'), READY_MAX_LAG_SECONDS: '30' }
      const whole = await start(variables)
      await newPerson(whole)
      await eventually(async () => expect((await readiness(whole)).status).to.equal(200))
      await servers.pop()?.stop()

      const unfed = await start({ ...variables, ROLES: 'api', READ_YOUR_WRITES_TIMEOUT_MS: '1' })
      await newPerson(unfed)
      expect((await readiness(unfed)).status).to.equal(200)
      unfed.passTime(60)
      const { status, body } = await readiness(unfed)
      expect(status).to.equal(503)
      expect(body).to.match(/expected at most 30 s behind the log, found 6\d\.\d s/)
      await servers.pop()?.stop()
    }))
})
