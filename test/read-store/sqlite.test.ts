import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqliteReadStore } from '../../src/read-store/sqlite.ts'
import { readStoreConformance } from './conformance.ts'

readStoreConformance('sqlite.ts', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'roster-read-store-'))
  return {
    connect: () => openSqliteReadStore(join(folder, 'read.db')),
    remove: () => rm(folder, { recursive: true }),
  }
})
