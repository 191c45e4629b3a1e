import { setTimeout as pause } from 'node:timers/promises'
import type { Command } from 'commander'
import type { JsonObject } from '../event-store/event-store.ts'
import { requestRebuild, requestRollback, whyNoRollback } from '../projector/generation-requests.ts'
import type { Projection } from '../projector/projection.ts'
import { type GenerationStatus, projectionStatus } from '../projector/status.ts'
import { startWorker } from '../projector/worker.ts'
import { generationFollower } from '../read-store/read-store.ts'
import { showProgress } from './progress.ts'
import { answer, describeTool, exitCodes, type Shell, Stopped, ToolFailure } from './shell.ts'
import { printable } from './spelled-out.ts'
import { chosenProjections, type Stores, withStores, workerLog } from './stores.ts'

type Options = { rollback?: true; status?: true; json?: true }
type Asked = { projection: Projection<JsonObject>; generation: number }

const lookEveryMs = 200
const goOnWithRebuild = 'what is built stays; a running Roster goes on with it, and so does the same command'
/** Once a running Roster has come to its end, the same command would go back again. */
const goOnWithRollback = `${goOnWithRebuild} unless replay --status shows that it is in use`
const example = `$ npx roster replay                          all read models anew, then in use
$ npx roster replay profiles
$ npx roster replay --rollback profiles     back to the one before, which is kept
$ npx roster replay --status`

/** `roster replay`: read models built anew from the log beside those in use, and the way back. */
export function addReplay(program: Command, shell: Shell): void {
  const command = program.command('replay [projection...]')
  describeTool(
    command,
    'Build read models anew from the log, while Roster runs or not, and use them then.',
    example,
  )
    .option('--rollback', 'use the generation before again, brought up to date first, and keep to it')
    .option('--status', 'show generations, how far they are, and who feeds them')
    .action(async (names: string[], options: Options) => {
      const projections = await chosenProjections(names)
      await withStores(shell, async stores => {
        if (options.status) await showStatus(shell, stores, projections, options)
        else await replay(shell, stores, projections, options)
      })
    })
}

async function replay(
  shell: Shell,
  stores: Stores,
  projections: readonly Projection<JsonObject>[],
  options: Options,
): Promise<void> {
  const begun = performance.now()
  if (options.rollback) await requireRollbacks(stores, projections)
  const asked: Asked[] = []
  for (const projection of projections) {
    const generation = options.rollback
      ? await askForRollback(shell, stores, projection)
      : await askForRebuild(stores, projection)
    asked.push({ projection, generation })
  }
  await feedUntilLive(shell, stores, asked, options.rollback ? goOnWithRollback : goOnWithRebuild)
  const seconds = Number(((performance.now() - begun) / 1000).toFixed(1))
  const done = asked.map(({ projection: { name }, generation }) => ({
    projection: name,
    generation,
    seconds,
  }))
  const words = done.map(each => `${each.projection}: generation ${each.generation} is in use`).join('\n')
  await answer(shell, options.json, done, `${words}\nin ${seconds} s`)
}

function askForRebuild(
  { readStore, config, identity }: Stores,
  projection: Projection<JsonObject>,
): Promise<number> {
  const { projectorPartitions: partitions } = config
  const reason = 'asked for by roster replay'
  return requestRebuild(readStore, projection, { logId: identity.logId, partitions, reason, now: Date.now() })
}

/** Throws ToolFailure unless each can be rolled back: before any is. */
async function requireRollbacks(
  { readStore }: Stores,
  projections: readonly Projection<JsonObject>[],
): Promise<void> {
  for (const { name } of projections) {
    const reason = await whyNoRollback(readStore, name)
    if (reason !== null) throw new ToolFailure(exitCodes.difference, reason)
  }
}

async function askForRollback(
  shell: Shell,
  { readStore }: Stores,
  { name, version }: Projection<JsonObject>,
) {
  const number = await requestRollback(readStore, name)
  if (number === null) {
    const reason = await whyNoRollback(readStore, name)
    const message = reason ?? `${name} changed meanwhile: see replay --status`
    throw new ToolFailure(exitCodes.difference, message)
  }
  const made = (await readStore.generations(name)).find(each => each.number === number)
  if (made && made.version !== version) {
    shell.note(
      `generation ${number} of ${name} has version ${made.version}: a Roster of that version has to feed it`,
    )
  }
  return number
}

/** This process takes part, at a lower priority, so that nobody else has to run. */
async function feedUntilLive(
  shell: Shell,
  stores: Stores,
  asked: readonly Asked[],
  howToGoOn: string,
): Promise<void> {
  const { config, eventStore, readStore, identity } = stores
  shell.lowerPriority()
  let events = 0
  const worker = await startWorker({
    eventStore,
    readStore,
    logId: identity.logId,
    projections: asked.map(({ projection }) => projection),
    only: asked.map(followerOf),
    partitions: config.projectorPartitions,
    log: workerLog(shell),
    batch: (_follower, count) => {
      events += count
    },
  })
  const bar = showProgress(shell, 'replay', 1, 'events')
  try {
    for (;;) {
      const done = await Promise.all(asked.map(each => progressOf(stores, each)))
      bar.update(done.reduce((sum, part) => sum + part, 0) / done.length, events)
      if (done.every(part => part === 1)) return
      if (shell.signal.aborted) throw new Stopped(howToGoOn)
      await pause(lookEveryMs, undefined, { signal: shell.signal }).catch(() => undefined)
    }
  } finally {
    bar.stop()
    await worker.stop()
  }
}

function followerOf({ projection: { name }, generation }: Asked): string {
  return generationFollower({ projection: name, number: generation })
}

/** From 0 to 1, and 1 only when it is in use. */
async function progressOf(
  { readStore, eventStore }: Stores,
  { projection, generation }: Asked,
): Promise<number> {
  const pointer = await readStore.pointer(projection.name)
  if (pointer?.live === generation) return 1
  if (pointer?.next?.number !== generation) {
    const message = `generation ${generation} of ${projection.name} was given up for another one: see replay --status`
    throw new ToolFailure(exitCodes.difference, message)
  }
  const leases = await readStore.leases(followerOf({ projection, generation }))
  const head = Number(await eventStore.head())
  const lowest = leases.reduce(
    (low, { checkpoint }) => Math.min(low, Number(checkpoint)),
    leases.length ? head : 0,
  )
  return Math.min(0.99, Math.max(0, lowest / Math.max(1, head)))
}

async function showStatus(
  shell: Shell,
  stores: Stores,
  projections: readonly Projection<JsonObject>[],
  { json }: Options,
): Promise<void> {
  const { eventstoreUrl, streamPrefix } = stores.config
  const watched = { ...stores, positionsCountEvents: eventstoreUrl === null && streamPrefix === '' }
  const rows = []
  for (const projection of projections) {
    const { generations, pointer } = await projectionStatus(projection, watched, Date.now())
    rows.push(...generations.map(each => toRow(each, pointer?.pinned === true && each.use === 'live')))
  }
  const words = rows.map(
    ({ projection, generation, use, version, progress, lagSeconds, held, partitions, parked, reason }) =>
      `${projection} ${generation}: ${use}, version ${version}, ${Math.floor(progress * 100)} %, ` +
      `${lagSeconds.toFixed(1)} s behind, ${held} of ${partitions} partitions fed, ${parked} parked; ${printable(reason)}`,
  )
  await answer(shell, json, rows, words.join('\n') || 'no read model was built yet')
}

function toRow(
  { generation, use, progress, lagSeconds, holders, parked }: GenerationStatus,
  isPinned: boolean,
) {
  const { projection, number, version, reason, createdAt } = generation
  return {
    projection,
    generation: number,
    use: isPinned ? 'live, pinned' : use,
    version,
    progress,
    lagSeconds,
    held: holders.filter(holder => holder !== null).length,
    partitions: generation.partitions,
    parked: parked.length,
    reason,
    createdAt,
  }
}
