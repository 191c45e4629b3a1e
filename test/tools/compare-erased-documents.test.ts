import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect } from 'chai'
import { audit } from '../../projections/audit.ts'
import { openSqliteReadStore } from '../../src/read-store/sqlite.ts'
import { compareDocuments } from '../../src/tools/verifying/documents.ts'
import type { Finding } from '../../src/tools/verifying/finding.ts'
import { roster } from '../support/run-roster.ts'
import { erase, register, withLogIn } from '../support/sample-log.ts'
import { withTemporaryFolder } from '../support/temporary-folder.ts'

describe('a comparison of documents with a log from which a user was erased meanwhile', () => {
  it('finds no difference in who came and went since the log was read, until the worker has passed', () =>
    withTemporaryFolder(dataDir =>
      withLogIn(dataDir, async eventStore => {
        const [user] = await register(eventStore, 1)
        if (!user) throw new Error('expected a user, found none')
        await roster({ DATA_DIR: dataDir }, ['replay', 'audit'])
        await erase(eventStore, user)
        await eventStore.truncate(`user-${user.userId}`, 1n)

        const file = join(dataDir, 'read.db')
        const readStore = await openSqliteReadStore(file)
        const [generation] = await readStore.generations('audit')
        if (!generation) throw new Error('expected a read model, found none')
        const compare = async () => {
          const findings: Finding[] = []
          const { behind } = await compareDocuments({
            ...{ eventStore, readStore, projection: audit, generation },
            truth: { scan: async () => [] },
            ...{ repair: false, report: async finding => void findings.push(finding) },
            signal: new AbortController().signal,
          })
          return { behind, kinds: findings.map(({ kind }) => kind) }
        }
        expect(await compare()).to.deep.equal({ behind: 1, kinds: [] })

        const db = new Database(file)
        db.exec('UPDATE leases SET checkpoint = 1000000')
        db.close()
        expect(await compare()).to.deep.equal({ behind: 0, kinds: ['extra'] })
        await readStore.close()
      }),
    ))
})
