import type { Command } from 'commander'
import { toRecorded } from '../account/upcasters.ts'
import type { JsonObject, RecordedEvent } from '../event-store/event-store.ts'
import { untruncated } from '../event-store/log-transfer.ts'
import { foldEvents, keyEvents, type Unapplied } from '../projector/fold.ts'
import type { Projection } from '../projector/projection.ts'
import { withProgress } from './progress.ts'
import { describeTool, exitCodes, type Shell, Stopped } from './shell.ts'
import { spelledOut } from './spelled-out.ts'
import { chosenProjections, type Stores, withStores } from './stores.ts'
import { type Comparison, compareDocuments } from './verifying/documents.ts'
import { type Finding, inWords, type Report } from './verifying/finding.ts'
import { checkNames } from './verifying/names.ts'
import { type Scratch, type ScratchDocuments, withScratch } from './verifying/scratch.ts'
import { createStreamChecks } from './verifying/streams.ts'

type Options = { repair?: true; json?: true }
type Truth = {
  projection: Projection<JsonObject>
  documents: ScratchDocuments<JsonObject>
  /** Streams that go no further, because of an event that cannot be applied. */
  stopped: Set<string>
}

const eventsAtOnce = 4000
const howToGoOn = 'nothing was written but what it said was repaired; the same command begins anew'
const namesUnchecked = 'names were not checked, which takes profiles'
const example = `$ npx roster verify
$ npx roster verify --repair profiles     and write what differs as the log says it should be

It needs room for a temporary file of about the size of the read models, in TMPDIR or /var/tmp.`

/** `roster verify`: whether the read models and the log tell the truth. */
export function addVerify(program: Command, shell: Shell): void {
  const command = program.command('verify [projection...]')
  describeTool(command, 'Check the log, and the read models against it, while Roster runs or not.', example)
    .option('--repair', 'write what differs as it should be, and take out what should not be there')
    .action(async (names: string[], options: Options) => {
      const projections = await chosenProjections(names)
      shell.lowerPriority()
      let findings = 0
      const report = async (finding: Finding) => {
        findings++
        await shell.print(`${options.json ? spelledOut(finding) : inWords(finding)}\n`)
      }
      const summary = await withStores(shell, stores =>
        withScratch(scratch =>
          verify({ shell, stores, scratch, projections, report, repair: options.repair === true }),
        ),
      )
      const words = `${summary.events} events and ${summary.documents} documents: ${findings} found`
      const more = `${summary.repaired} repaired, ${summary.behind} not come to yet`
      if (options.json) await shell.print(`${JSON.stringify({ kind: 'summary', ...summary, findings })}\n`)
      else await shell.print(`${words}; ${more}${summary.namesChecked ? '' : `; ${namesUnchecked}`}\n`)
      if (findings > 0) shell.exit(exitCodes.difference)
    })
}

type Verifying = {
  shell: Shell
  stores: Stores
  scratch: Scratch
  projections: readonly Projection<JsonObject>[]
  report: Report
  repair: boolean
}

async function verify(verifying: Verifying): Promise<Comparison & { events: number; namesChecked: boolean }> {
  const { shell, stores, scratch, projections, report, repair } = verifying
  const { eventStore, readStore, identity } = stores
  const streams = await createStreamChecks(scratch, eventStore, report)
  const truths: Truth[] = []
  for (const projection of projections) {
    const documents = await scratch.documents<JsonObject>(projection.name)
    truths.push({ projection, documents, stopped: new Set() })
  }
  const events = await readLog(verifying, async some => {
    await streams.take(some)
    await reportUnreadable(some, report)
    for (const truth of truths) await apply(truth, some)
  })
  const profiles = truths.find(({ projection }) => projection.name === 'profiles')
  const { signal } = shell
  if (profiles) {
    const { namesKey } = identity
    await checkNames(profiles.documents, streams, { eventStore, namesKey, signal }, report)
    if (signal.aborted) throw new Stopped(howToGoOn)
  }

  const namesChecked = profiles !== undefined
  const sum = { events, documents: 0, behind: 0, repaired: 0, namesChecked }
  await withProgress(shell, 'compare', events, 'documents', async bar => {
    const onDocument = () => bar.update(sum.documents, sum.documents)
    for (const { projection, documents: truth } of truths) {
      const generation = await liveGeneration(stores, projection, report)
      if (!generation) continue
      const comparing = { eventStore, readStore, projection, generation, truth, repair, report, signal }
      const compared = await compareDocuments({ ...comparing, onDocument })
      sum.documents += compared.documents
      sum.behind += compared.behind
      sum.repaired += compared.repaired
      if (signal.aborted) throw new Stopped(howToGoOn)
    }
  })
  return sum
}

/** Hands out the log as it is now, and resolves to the number of events. */
async function readLog(
  { shell, stores }: Verifying,
  take: (events: RecordedEvent[]) => Promise<void>,
): Promise<number> {
  const { eventStore } = stores
  const head = await eventStore.head()
  let events = 0
  let waiting: RecordedEvent[] = []
  const { signal } = shell
  await withProgress(shell, 'verify', Number(head), 'events', async bar => {
    for await (const batch of untruncated(eventStore, eventStore.readAll({ signal }))) {
      waiting.push(...batch.events.filter(({ position }) => position <= head))
      const isLast = batch.caughtUp || batch.checkpoint >= head
      if (waiting.length >= eventsAtOnce || isLast) {
        await take(waiting)
        events += waiting.length
        waiting = []
        bar.update(Number(batch.checkpoint), events)
      }
      if (isLast) break
    }
  })
  if (signal.aborted) throw new Stopped(howToGoOn)
  return events
}

async function apply(
  { projection, documents, stopped }: Truth,
  events: readonly RecordedEvent[],
): Promise<void> {
  const wanted = events.filter(
    ({ stream }) => !stopped.has(stream) && projection.streams.some(prefix => stream.startsWith(prefix)),
  )
  // What cannot be read is reported for the stream; its read models stop there too.
  const { keyed, unapplied } = keyEvents(projection, wanted, toRecorded)
  const keys = [...new Set(keyed.map(({ key }) => key))]
  if (keys.length > 0) {
    await documents.change(keys, stored => {
      const folded = foldEvents(projection, keyed, stored)
      unapplied.push(...folded.unapplied)
      return folded.writes
    })
  }
  for (const { event } of unapplied) stopped.add(event.stream)
}

async function reportUnreadable(events: readonly RecordedEvent[], report: Report): Promise<void> {
  const { unapplied } = keyEvents({ key: () => null }, events, toRecorded)
  for (const { event, error } of unapplied) await report(unreadable(event, error))
}

function unreadable({ stream, revision }: Unapplied['event'], error: unknown): Finding {
  const problem = error instanceof Error ? error.message : String(error)
  return { kind: 'unreadable', stream, revision: String(revision), problem }
}

async function liveGeneration(
  { readStore, identity }: Stores,
  { name, version }: Projection<JsonObject>,
  report: Report,
) {
  const live = (await readStore.pointer(name))?.live ?? null
  const generation = (await readStore.generations(name)).find(each => each.number === live)
  const unverified = (problem: string) => report({ kind: 'unverified', projection: name, problem })
  if (!generation) await unverified('expected a read model in use, found none: start Roster or run replay')
  else if (generation.version !== version) {
    await unverified(
      `expected version ${version} in use, found ${generation.version}: verify it with its own Roster`,
    )
  } else if (generation.logId !== identity.logId) {
    await unverified(`expected a read model of log ${identity.logId}, found one of ${generation.logId}`)
  } else return generation
  return null
}
