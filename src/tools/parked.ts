import { setTimeout as pause } from 'node:timers/promises'
import type { Command } from 'commander'
import { livingWorkers } from '../projector/living-workers.ts'
import { createStillness } from '../projector/stillness.ts'
import { startWorker, usualTiming } from '../projector/worker.ts'
import { type Generation, generationFollower, type ParkedStream } from '../read-store/read-store.ts'
import { answer, describeTool, exitCodes, type Shell, Stopped } from './shell.ts'
import { printable } from './spelled-out.ts'
import { chosenProjections, type Stores, withStores, workerLog } from './stores.ts'

type Options = { retry?: true; json?: true }

const lookEveryMs = 100
const example = `$ npx roster parked
$ npx roster parked --retry                 after an upcaster or a better evolve has mended it
$ npx roster parked --retry user-42`

/** `roster parked`: streams whose events a read model cannot apply, why, and another try. */
export function addParked(program: Command, shell: Shell): void {
  const command = program.command('parked [stream]')
  describeTool(command, 'List streams that wait because an event of theirs cannot be applied.', example)
    .option('--retry', 'try them again, with the code of this Roster or of one that runs')
    .action(async (stream: string | undefined, options: Options) => {
      await withStores(shell, async stores => {
        const wanted = (each: ParkedStream) => stream === undefined || each.stream === stream
        if (options.retry) await retry(shell, stores, (await stores.readStore.parked()).filter(wanted))
        const parked = (await stores.readStore.parked()).filter(wanted)
        const told = await Promise.all(parked.map(each => explain(stores, each)))
        const lines = told.map(
          each =>
            `${printable(each.stream)} in ${each.follower}, since ${each.since}, at ${printable(each.event)}: ` +
            printable(each.error),
        )
        await answer(shell, options.json, told, lines.join('\n') || 'nothing is parked')
        if (parked.length > 0) shell.exit(exitCodes.difference)
      })
    })
}

async function explain({ eventStore }: Stores, { follower, stream, revision, error, since }: ParkedStream) {
  const [event] = await eventStore.readStream(stream, { from: revision, limit: 1 })
  const told =
    event?.revision === revision ? `${event.type} version ${event.metadata?.version}` : 'a truncated event'
  return {
    stream,
    follower,
    revision: String(revision),
    event: `revision ${revision}, ${told}`,
    error,
    since,
  }
}

/**
 * Waits until each was tried: it is gone then, or parked again; or until nobody is left who could try. Read models
 * that are only kept are left as they are.
 */
async function retry(shell: Shell, stores: Stores, wanted: readonly ParkedStream[]): Promise<void> {
  const fed = await followersFed(stores)
  const parked = wanted.filter(({ follower }) => fed.has(follower))
  if (parked.length === 0) return
  const { config, eventStore, readStore, identity } = stores
  const others = await generationsOfOthers(stores)
  shell.lowerPriority()
  for (const { follower, stream } of parked) await readStore.requestRetry(follower, stream)
  const only = [...new Set(parked.map(({ follower }) => follower))].filter(each => !others.has(each))
  const worker = await startWorker({
    eventStore,
    readStore,
    logId: identity.logId,
    projections: (await chosenProjections([])).filter(({ name }) =>
      only.some(follower => follower.startsWith(`${name}.`)),
    ),
    only,
    partitions: config.projectorPartitions,
    log: { ...workerLog(shell), error() {} },
  })
  const living = { id: worker.id, readStore, stillness: createStillness(), leaseMs: usualTiming.leaseMs }
  try {
    for (;;) {
      const left = new Set((await untried(stores, parked)).map(({ follower }) => follower))
      if (left.size === 0) return
      const feeds = (await livingWorkers(living)).flatMap(each => each.feeds)
      const orphans = [...others].filter(
        ([follower, generation]) => left.has(follower) && !isFed(generation, feeds),
      )
      if (orphans.length === left.size) {
        for (const [follower, { version }] of orphans)
          shell.note(`${follower} has version ${version}: a Roster of that version has to try, and none runs`)
        return
      }
      if (shell.signal.aborted)
        throw new Stopped('a running Roster goes on trying, and so does the same command')
      await pause(lookEveryMs, undefined, { signal: shell.signal }).catch(() => undefined)
    }
  } finally {
    await worker.stop()
  }
}

function isFed(generation: Generation, feeds: readonly string[]): boolean {
  const { projection, version } = generation
  return feeds.includes(`${projection}@${version}`) || feeds.includes(generationFollower(generation))
}

async function untried(stores: Stores, parked: readonly ParkedStream[]): Promise<ParkedStream[]> {
  const fed = await followersFed(stores)
  return (await stores.readStore.parked()).filter(
    each => each.retry && fed.has(each.follower) && isAmong(parked, each),
  )
}

/** The generations that another version of the code has to feed, by follower. */
async function generationsOfOthers({ readStore }: Stores): Promise<Map<string, Generation>> {
  const others = new Map<string, Generation>()
  for (const { name, version } of await chosenProjections([])) {
    for (const generation of await readStore.generations(name))
      if (generation.version !== version) others.set(generationFollower(generation), generation)
  }
  return others
}

/** The generations in use, and the ones before while they are still kept up to date. */
async function followersFed({ readStore }: Stores): Promise<Set<string>> {
  const fed = new Set<string>()
  for (const { name: projection } of await chosenProjections([])) {
    const pointer = await readStore.pointer(projection)
    const previous = pointer?.previous?.fed ? pointer.previous.number : null
    for (const number of [pointer?.live, pointer?.next?.number, previous])
      if (number) fed.add(generationFollower({ projection, number }))
  }
  return fed
}

function isAmong(streams: readonly ParkedStream[], { follower, stream }: ParkedStream): boolean {
  return streams.some(each => each.follower === follower && each.stream === stream)
}
