import {
  type Generation,
  generationFollower,
  type Lease,
  type ParkedStream,
  type Pointer,
  type Progress,
  type ReadStore,
  type Witness,
} from './read-store.ts'
import type { Connection } from './sqlite.ts'
import type { Session } from './sqlite-session.ts'

/** The tables that are there whatever the generations. Positions are text: EventStoreDB's go up to 2^64. */
export const booksSchema = `
  CREATE TABLE IF NOT EXISTS pointers (
    projection TEXT PRIMARY KEY, epoch INTEGER NOT NULL, body TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS generations (
    projection TEXT NOT NULL, number INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (projection, number)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS leases (
    follower TEXT NOT NULL, partition INTEGER NOT NULL, epoch INTEGER NOT NULL, owner TEXT,
    renewals INTEGER NOT NULL, log_id TEXT NOT NULL, checkpoint TEXT NOT NULL, caught_up INTEGER NOT NULL,
    searchable INTEGER NOT NULL, witness TEXT, PRIMARY KEY (follower, partition)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS workers (
    id TEXT PRIMARY KEY, beats INTEGER NOT NULL, feeds TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS parked (
    follower TEXT NOT NULL, stream TEXT NOT NULL, revision INTEGER NOT NULL, key TEXT, error TEXT NOT NULL,
    since TEXT NOT NULL, retry INTEGER NOT NULL, PRIMARY KEY (follower, stream)
  ) WITHOUT ROWID;`

type LeaseRow = {
  follower: string
  partition: number
  epoch: number
  owner: string | null
  renewals: number
  log_id: string
  checkpoint: string
  caught_up: number
  searchable: number
  witness: string | null
}
type ParkedRow = Omit<ParkedStream, 'revision' | 'retry'> & { revision: number; retry: number }

/** Leases and parked streams, to be changed inside a transaction of the caller's. */
export type Ledger = ReturnType<typeof createLedger>

export function createLedger(db: Connection) {
  const renew = db.prepare<[string, number, number, string | null, string, number, number]>(
    `UPDATE leases SET renewals = renewals + 1, checkpoint = ?, caught_up = ?, searchable = ?, witness = ?
     WHERE follower = ? AND partition = ? AND epoch = ?`,
  )
  const release = db.prepare<[string, number, number]>(
    `UPDATE leases SET epoch = epoch + 1, owner = NULL WHERE follower = ? AND partition = ? AND epoch = ?`,
  )
  const epochOf = db
    .prepare<[string, number], number>('SELECT epoch FROM leases WHERE follower = ? AND partition = ?')
    .pluck()
  const park = db.prepare<[string, string, bigint, string | null, string, string, number]>(
    'INSERT OR REPLACE INTO parked VALUES (?, ?, ?, ?, ?, ?, ?)',
  )
  const isParked = db
    .prepare<[string, string], number>('SELECT 1 FROM parked WHERE follower = ? AND stream = ?')
    .pluck()

  const ledger = {
    /** The partitions whose epoch is another. */
    lost: (follower: string, held: readonly Pick<Progress, 'partition' | 'epoch'>[]): number[] =>
      held
        .filter(({ partition, epoch }) => epochOf.get(follower, partition) !== epoch)
        .map(({ partition }) => partition),

    /** Moves checkpoints; returns the partitions whose epoch is another. */
    renew: (follower: string, progress: readonly Progress[]): number[] =>
      progress
        .filter(({ partition, epoch, checkpoint, caughtUp, searchable, witness }) => {
          const stored = witness && JSON.stringify({ ...witness, revision: Number(witness.revision) })
          const flags = [Number(caughtUp), Number(searchable)] as const
          return renew.run(String(checkpoint), ...flags, stored, follower, partition, epoch).changes === 0
        })
        .map(({ partition }) => partition),

    release(follower: string, progress: readonly Progress[]): void {
      const lost = ledger.renew(follower, progress)
      for (const { partition, epoch } of progress) {
        if (!lost.includes(partition)) release.run(follower, partition, epoch)
      }
    },

    park({ follower, stream, revision, key, error, since, retry }: ParkedStream): void {
      park.run(follower, stream, revision, key, error, since, Number(retry))
    },

    isParked: (follower: string, stream: string): boolean => isParked.get(follower, stream) === 1,
  }
  return ledger
}

type Books = Omit<
  ReadStore,
  'open' | 'createGeneration' | 'dropGeneration' | 'purge' | 'counts' | 'isDown' | 'close'
>

/** The part of the port that keeps the books. */
export function createBooks({ db, read, write }: Session, ledger: Ledger): Books {
  const selectPointer = db.prepare<[string], string>('SELECT body FROM pointers WHERE projection = ?').pluck()
  const insertPointer = db.prepare('INSERT OR IGNORE INTO pointers VALUES (?, ?, ?)')
  const updatePointer = db.prepare(
    'UPDATE pointers SET epoch = ?, body = ? WHERE projection = ? AND epoch = ? - 1',
  )
  const selectGenerations = db
    .prepare<[string], string>('SELECT body FROM generations WHERE projection = ? ORDER BY number')
    .pluck()
  const selectLeases = db.prepare<[string], LeaseRow>(
    'SELECT * FROM leases WHERE follower = ? ORDER BY partition',
  )
  const insertLease = db.prepare(
    `INSERT OR IGNORE INTO leases VALUES (?, ?, 0, NULL, 0, ?, '-1', 0, 0, NULL)`,
  )
  const takeLease = db.prepare(
    `UPDATE leases SET epoch = epoch + 1, owner = ?, renewals = renewals + 1
     WHERE follower = ? AND partition = ? AND epoch = ? AND renewals = ?`,
  )
  const beat = db.prepare(
    `INSERT INTO workers VALUES (?, 1, ?)
     ON CONFLICT (id) DO UPDATE SET beats = beats + 1, feeds = excluded.feeds`,
  )
  const selectWorkers = db.prepare<[], { id: string; beats: number; feeds: string }>('SELECT * FROM workers')
  const deleteWorker = db.prepare('DELETE FROM workers WHERE id = ?')
  const selectParked = db.prepare<[string], ParkedRow>(
    'SELECT * FROM parked WHERE follower = ? ORDER BY stream',
  )
  const selectAllParked = db.prepare<[], ParkedRow>('SELECT * FROM parked ORDER BY follower, stream')
  const requestRetry = db.prepare('UPDATE parked SET retry = 1 WHERE follower = ? AND stream = ?')
  const deleteParked = db.prepare('DELETE FROM parked WHERE follower = ? AND stream = ?')

  return {
    pointer: projection =>
      read(() => {
        const body = selectPointer.get(projection)
        return body === undefined ? null : (JSON.parse(body) as Pointer)
      }),

    movePointer: pointer =>
      write(() => {
        const { projection, epoch } = pointer
        const body = JSON.stringify(pointer)
        const { changes } =
          epoch === 0
            ? insertPointer.run(projection, epoch, body)
            : updatePointer.run(epoch, body, projection, epoch)
        return changes === 1
      }),

    generations: projection =>
      read(() => selectGenerations.all(projection).map(body => JSON.parse(body) as Generation)),

    leases: follower => read(() => selectLeases.all(follower).map(toLease)),

    createLeases: (follower, partitions, logId) =>
      write(() => {
        for (let partition = 0; partition < partitions; partition++)
          insertLease.run(follower, partition, logId)
      }),

    takeLease: (seen, owner) =>
      write(() => {
        const { follower, partition, epoch, renewals } = seen
        const { changes } = takeLease.run(owner, follower, partition, epoch, renewals)
        return changes === 1 ? { ...seen, owner, epoch: epoch + 1, renewals: renewals + 1 } : null
      }),

    renewLeases: (follower, progress) => write(() => ledger.renew(follower, progress)),
    releaseLeases: (follower, progress) => write(() => ledger.release(follower, progress)),

    beat: (worker, feeds) => write(() => void beat.run(worker, JSON.stringify(feeds))),
    workers: () =>
      read(() => selectWorkers.all().map(row => ({ ...row, feeds: JSON.parse(row.feeds) as string[] }))),
    removeWorker: worker => write(() => void deleteWorker.run(worker)),

    parked: follower =>
      read(() =>
        (follower === undefined ? selectAllParked.all() : selectParked.all(follower)).map(row => ({
          ...row,
          revision: BigInt(row.revision),
          retry: row.retry === 1,
        })),
      ),
    requestRetry: (follower, stream) => write(() => requestRetry.run(follower, stream).changes === 1),
    unpark: (follower, stream) => write(() => void deleteParked.run(follower, stream)),
  }
}

function toLease(row: LeaseRow): Lease {
  const { follower, partition, epoch, owner, renewals } = row
  const witness = row.witness === null ? null : (JSON.parse(row.witness) as Witness)
  return {
    follower,
    partition,
    epoch,
    owner,
    renewals,
    logId: row.log_id,
    checkpoint: BigInt(row.checkpoint),
    caughtUp: row.caught_up === 1,
    searchable: row.searchable === 1,
    witness: witness && { ...witness, revision: BigInt(witness.revision) },
  }
}

/** Forgets a generation's leases, parked streams and name. */
export function forgetGeneration(
  db: Connection,
  generation: Pick<Generation, 'projection' | 'number'>,
): void {
  const follower = generationFollower(generation)
  db.prepare('DELETE FROM leases WHERE follower = ?').run(follower)
  db.prepare('DELETE FROM parked WHERE follower = ?').run(follower)
  db.prepare('DELETE FROM generations WHERE projection = ? AND number = ?').run(
    generation.projection,
    generation.number,
  )
}
