import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { expect } from 'chai'
import { eventually } from '../support/eventually.ts'
import { edited, logId, openStage, quick, registered, type Stage } from './stage.ts'

const timing = { ...quick, renewMs: 50, leaseMs: 600 }

describe('workers in processes of their own', () => {
  let stage: Stage
  const children = new Set<ChildProcess>()

  beforeEach(async () => {
    stage = await openStage()
  })
  afterEach(async () => {
    for (const child of children) {
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    }
    children.clear()
    await stage.close()
  })

  async function start(): Promise<{ child: ChildProcess; id: string }> {
    const file = new URL('../support/worker-process.ts', import.meta.url)
    const child = fork(file, [stage.folder, logId, JSON.stringify(timing)], { execArgv: ['--import', 'tsx'] })
    children.add(child)
    const [id] = await once(child, 'message')
    return { child, id: String(id) }
  }

  async function holders(): Promise<(string | null)[]> {
    const leases = await stage.readStore.leases('profiles.1')
    return [...new Set(leases.map(({ owner }) => owner))].sort()
  }

  /** Of a file's one writer SQLite takes the word: while a process is stopped with a lock, nobody else can write. */
  async function stopWithoutLocks(child: ChildProcess): Promise<void> {
    for (;;) {
      child.kill('SIGSTOP')
      const isFree = await Promise.all(
        ['events.db', 'read.db'].map(file => canWrite(join(stage.folder, file))),
      )
      if (isFree.every(Boolean)) return
      child.kill('SIGCONT')
      await pause(5)
    }
  }

  it('are killed, paused and joined by another: each partition is fed by one, and nothing is lost', async () => {
    const [killed, paused, kept] = await Promise.all([start(), start(), start()])
    const all = [killed.id, paused.id, kept.id].sort()
    await eventually(async () => expect(await holders()).to.deep.equal(all), 20_000)
    for (let id = 1; id <= 40; id++) await stage.append(id, registered(id, `user${id}`))

    killed.child.kill('SIGKILL')
    await stopWithoutLocks(paused.child)
    for (let id = 1; id <= 40; id++) await stage.append(id, edited({ bio: `while away ${id}` }))
    await eventually(async () => expect(await holders()).to.deep.equal([kept.id]), 20_000)
    await stage.untilTrue()

    paused.child.kill('SIGCONT')
    const fourth = await start()
    const living = [paused.id, kept.id, fourth.id].sort()
    for (let id = 1; id <= 40; id++) await stage.append(id, edited({ location: `back ${id}` }))
    await eventually(async () => expect(await holders()).to.deep.equal(living), 20_000)
    await stage.untilTrue()

    fourth.child.kill('SIGTERM')
    await once(fourth.child, 'exit')
    expect(fourth.child.exitCode).to.equal(0)
    expect(await holders()).to.not.include(fourth.id)
  })
})

/** Whether the lock for writing can be had: looks again, as others have it for moments. */
async function canWrite(file: string): Promise<boolean> {
  const db = new Database(file, { timeout: 0 })
  try {
    for (let looks = 0; looks < 50; looks++) {
      try {
        db.exec('BEGIN IMMEDIATE; ROLLBACK')
        return true
      } catch {
        await pause(5)
      }
    }
    return false
  } finally {
    db.close()
  }
}
