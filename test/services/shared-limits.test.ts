import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { createLimiter, type Limiter, Throttled } from '../../src/limits/limiter.ts'
import { parseRules } from '../../src/limits/rules.ts'
import { openMongodbReadStore } from '../../src/read-store/mongodb.ts'
import type { ReadStore } from '../../src/read-store/read-store.ts'
import { eventually } from '../support/eventually.ts'
import { ownDatabase } from '../support/mongodb-database.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'

const { MONGODB_URL: serverUrl } = process.env
const key = Buffer.alloc(32)

if (serverUrl !== undefined) {
  describe('Limits over MongoDB', () => {
    const database = ownDatabase(serverUrl)
    const opened: ReadStore[] = []
    let proxy: TcpProxy
    let prefix: string

    /** The limiter of one process. */
    async function limiter(setting: string, url = database.url): Promise<Limiter> {
      const store = await openMongodbReadStore({ url, prefix, timing: { countMs: 20_000, callMs: 20_000 } })
      opened.push(store)
      await eventually(() => store.workers())
      return createLimiter({ rules: parseRules(setting), shared: store.counts, key })
    }
    const place = (whose: string) => ({ limit: 'logins-per-account', whose }) as const
    const outcomes = async (counts: Promise<unknown>[]) => {
      const settled = await Promise.allSettled(counts)
      const refused = settled.filter(each => each.status === 'rejected')
      for (const { reason } of refused) expect(reason).to.be.an.instanceOf(Throttled)
      return { passed: settled.length - refused.length, refused: refused.length }
    }

    before(async () => {
      const { hostname, port } = new URL(serverUrl)
      proxy = await startTcpProxy({ host: hostname, port: Number(port) })
    })
    beforeEach(() => {
      prefix = randomUUID()
    })
    afterEach(async () => {
      await proxy.mend()
      await Promise.all(opened.splice(0).map(store => store.close()))
    })
    after(async () => {
      await proxy.close()
      await database.drop()
    })

    it('are those of all processes together, however they meet', async () => {
      const processes = await Promise.all([1, 2, 3].map(() => limiter('logins-per-account=7/600')))
      for (let round = 0; round < 10; round++) {
        const counts = Array.from({ length: 30 }, (_, index) =>
          processes[index % 3]?.count(place(`round ${round}`)),
        )
        expect(await outcomes(counts.map(count => Promise.resolve(count)))).to.deep.equal({
          passed: 7,
          refused: 23,
        })
      }
    })

    it('start anew after their time, also if several come first', async () => {
      const processes = await Promise.all([1, 2].map(() => limiter('logins-per-account=2/1')))
      await outcomes(processes.map(each => each.count(place('x'))))
      await new Promise(resolve => setTimeout(resolve, 1100))
      const again = [...processes, ...processes].map(each => each.count(place('x')))
      expect(await outcomes(again)).to.deep.equal({ passed: 2, refused: 2 })
    })

    it('keep no names and no addresses there', async () => {
      const { count } = await limiter('on')
      await count(place('egekaya'))
      await count({ limit: 'logins-per-address', whose: '192.0.2.1/32' })
      const rows = await database.client.db().collection(`${prefix}/counts`).find().toArray()
      expect(rows).to.have.lengthOf(2)
      expect(JSON.stringify(rows)).not.to.contain('egekaya').and.not.to.contain('192.0.2')
    })

    it('are each process’s own while MongoDB is out of reach', async () => {
      const url = new URL(database.url)
      url.host = `127.0.0.1:${proxy.port}`
      const { count, left } = await limiter('logins-per-account=3/600', url.toString())
      await count(place('x'))
      await proxy.cut()
      expect(await outcomes([1, 2, 3, 4].map(() => count(place('x'))))).to.deep.equal({
        passed: 3,
        refused: 1,
      })
      await proxy.mend()
      await eventually(async () => {
        expect(await left(place('x'))).to.equal(2)
      }, 20_000)
    })
  })
}
