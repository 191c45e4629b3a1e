import { expect } from 'chai'
import { StoreUnavailable } from '../../src/event-store/event-store.ts'
import { openMongodbReadStore } from '../../src/read-store/mongodb.ts'
import { clientFor } from '../../src/read-store/mongodb-url.ts'

describe('A MONGODB_URL', () => {
  it('names the database and the hosts', async () => {
    const url = 'mongodb://roster:s%40cret@one:27017,two:27018/people?replicaSet=rs'
    const { client, address, database } = clientFor(url, {})
    expect([address, database]).to.deep.equal(['one:27017,two:27018', 'people'])
    await client.close()
  })

  it('means the database roster where it names none', async () => {
    for (const end of ['', '/', '/?directConnection=true', '?directConnection=true']) {
      const { client, database } = clientFor(`mongodb://user:pass@localhost:27017${end}`, {})
      expect(database, end).to.equal('roster')
      await client.close()
    }
  })

  it('may have its database percent-encoded', async () => {
    const { client, database } = clientFor('mongodb://localhost/a%20b', {})
    expect(database).to.equal('a b')
    await client.close()
  })

  it('that is wrong is refused without a word of it', () => {
    const wrong = [
      'mongodb://user:s3cr3t@',
      'mongodb://user:s3cr3t@host:port/db',
      'mongodb://user:s3cr3t/@host/db',
      'mongodb://user:s3cr3t@host/db?directConnection=s3cr3t',
      'mongodb://user:s3cr3t@host/%ZZ',
      'mongodb+srv://user:s3cr3t@host:27017/db',
      'http://user:s3cr3t@host/db',
      's3cr3t',
    ]
    for (const url of wrong) {
      expect(() => clientFor(url, {}), url).to.throw(Error, /expected mongodb:/)
      expect(() => clientFor(url, {}), url).not.to.throw(/s3cr3t/)
    }
  })

  it('that has an option unknown to the driver is refused with its name', () => {
    expect(() => clientFor('mongodb://user:s3cr3t@host/db?colour=red', {})).to.throw(
      'option colour is not supported',
    )
  })
})

describe('The read store in MongoDB, where no server is,', () => {
  const open = () =>
    openMongodbReadStore({
      url: 'mongodb://user:s3cr3t@127.0.0.1:1/roster',
      timing: { callMs: 300, silenceMs: 100, heartbeatMs: 500, graceMs: 0 },
    })

  it('opens, says that it is unavailable, and is known to be down', async () => {
    const store = await open()
    const failure = await store.pointer('profiles').then(
      () => null,
      (error: unknown) => error,
    )
    expect(failure).to.be.instanceOf(StoreUnavailable)
    expect(String(failure)).to.include('127.0.0.1:1').and.not.to.include('s3cr3t')
    expect(store.isDown()).to.equal(true)
    await store.close()
  })

  it('closes while it is still looking for the server', async () => {
    const store = await open()
    const reading = store.workers().catch((error: unknown) => error)
    await store.close()
    expect(await reading).to.be.instanceOf(StoreUnavailable)
    expect(store.isDown()).to.equal(true)
  })
})
