import { randomBytes, randomInt } from 'node:crypto'
import { cp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { caughtUp } from '../checks/recover.ts'
import type { Fault } from '../fault.ts'
import type { World } from '../world/world.ts'

const loadMs = 1500
/** Until read models have noted how far they have read, where nothing concerned them. */
const checkpointMs = 2000
const noticeWithinMs = 60_000
const mostTries = 5
const fewCommits = 5
const headerBytes = 32
const frameHeaderBytes = 24

/** Kills all, and puts behind the last commit of each write-ahead log what a crash may leave there. */
export const leaveRubbishInWal: Fault['commit'] = async world => {
  await loadAndKill(world)
  const dirtied: string[] = []
  for (const name of ['events.db-wal', 'read.db-wal']) {
    const file = join(world.truth.dataDir, name)
    const { bytes, end, frame, commits } = commitsIn(await readFile(file))
    const half = bytes.subarray(end - frame, end - frame + frameHeaderBytes + randomInt(frame))
    const rubbish = [randomBytes(randomInt(1, 20_000)), half, Buffer.alloc(randomInt(1, 20_000))][
      randomInt(3)
    ]
    // Where it was moved to the file a moment ago there is no last commit.
    if (commits.length === 0) continue
    await writeFile(file, Buffer.concat([bytes.subarray(0, end), rubbish ?? half]))
    dirtied.push(name)
  }
  return `garbage, half a frame or zeros behind the last commit of ${dirtied.join(' and ')}, after kill -9 of all`
}

/** Kills all, damages a write-ahead log before its last commits, and wants to be told; then mends it. */
export const damageWal: Fault['commit'] = async world => {
  const { service, ledger } = world
  const { file, bytes, commits } = await loadAndKill(world)
  const damaged = Buffer.from(bytes)
  const at = randomInt(headerBytes, commits.at(-3) ?? headerBytes + 1)
  damaged[at] = ~(damaged[at] ?? 0)
  await writeFile(file, damaged)
  const told = await service.revive(0).then(
    () => 'it started',
    (error: unknown) => String(error),
  )
  if (!/^roster: .*events\.db-wal is damaged/m.test(told))
    ledger.violations.push(`damage at byte ${at} of ${file}: expected to be told, found ${told}`)
  await service.kill(service.names)
  await writeFile(file, bytes)
  return `a byte of ${commits.length} commits damaged: told and refused; mended`
}

/**
 * Damages the very last commit, which nobody can tell from a write that was cut off: but what was already read from it
 * tells. Then puts everything back as it was.
 */
export const loseLastCommit: Fault['commit'] = async world => {
  const { truth, service, ledger, folder } = world
  const { file, bytes, end } = await loadAndKill(world, async () => {
    await caughtUp(world)
    await pause(checkpointMs)
  })
  const saved = join(folder, 'saved')
  await cp(truth.dataDir, saved, { recursive: true })
  await writeFile(file, bytes.subarray(0, end - 1))
  await service.revive(0)
  if (!(await isTold(world)))
    ledger.violations.push(
      'the last commit was lost: expected to be told that the log is shorter, found nothing',
    )
  await service.kill(service.names)
  await rm(truth.dataDir, { recursive: true })
  await cp(saved, truth.dataDir, { recursive: true })
  await rm(saved, { recursive: true })
  return 'the last commit lost: told, as the read models had seen it; put back'
}

/** By the processes that were started since: the logs also have what was told in rounds before. */
async function isTold({ service }: World): Promise<boolean> {
  const said = /lies beyond the log's head|was applied as revision/
  for (const end = performance.now() + noticeWithinMs; performance.now() < end; ) {
    if (said.test(service.output())) return true
    await pause(100)
  }
  return false
}

/**
 * Kills all, under load or once `rested` has resolved, until there are commits in the write-ahead log of events: it is
 * moved to the file now and then.
 */
async function loadAndKill(world: World, rested?: () => Promise<void>): Promise<Commits & { file: string }> {
  const { truth, service } = world
  const file = join(truth.dataDir, 'events.db-wal')
  for (let tries = 0; tries < mostTries; tries++) {
    await service.revive(0)
    await world.underLoad(
      async load => {
        await pause(loadMs)
        load.surge()
        await pause(randomInt(60))
        if (!rested) await service.kill(service.names)
      },
      { movesLog: false },
    )
    await rested?.()
    await service.kill(service.names)
    const found = commitsIn(await readFile(file))
    if (found.commits.length >= fewCommits) return { ...found, file }
  }
  throw new Error(`expected ${fewCommits} commits in ${file} after ${mostTries} tries, found fewer`)
}

type Commits = { bytes: Buffer; frame: number; commits: number[]; end: number }

/** Where each commit of a write-ahead log begins with its last frame, and where the last of them ends. */
function commitsIn(bytes: Buffer): Commits {
  if (bytes.length < headerBytes) return { bytes, frame: 0, commits: [], end: 0 }
  const frame = frameHeaderBytes + bytes.readUInt32BE(8)
  const salts = bytes.subarray(16, 24)
  const commits: number[] = []
  for (let at = headerBytes; at + frame <= bytes.length; at += frame) {
    // What follows is of before the log was begun anew.
    if (!bytes.subarray(at + 8, at + 16).equals(salts)) break
    if (bytes.readUInt32BE(at + 4) !== 0) commits.push(at)
  }
  return { bytes, frame, commits, end: (commits.at(-1) ?? headerBytes - frame) + frame }
}
