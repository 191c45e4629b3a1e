import { erasedUsers } from '../account/erasures.ts'
import { beforeAll, EventTooLarge, RevisionConflict } from '../event-store/event-store.ts'
import type { TransferredEvent, WholeEventStore } from '../event-store/log-transfer.ts'
import { type Compared, createComparison, isForgotten, LogsDiffer } from './compare-log.ts'
import { eventIn, type PlacedLine } from './export-file/parse.ts'
import { readExport, refuseBroken } from './read-export.ts'
import { exitCodes, type Shell, Stopped, ToolFailure } from './shell.ts'

export type Importing = {
  shell: Shell
  store: WholeEventStore
  file: string
  /** The users that the export says were erased. */
  erasedThere: ReadonlySet<number>
}

export type Imported = { events: number; truncated: number; ahead: number }

const eventsPerWrite = 1000
const howToGoOn = 'what is in stays; the same command goes on from there'

/**
 * Brings a log up to a whole export whose chain was found good. Throws ToolFailure, before anything is written, unless
 * the log is empty or a beginning of the export, those erased on either side aside. Doing it again, after a stop or
 * not, goes on where it was.
 */
export async function importLog(importing: Importing): Promise<Imported> {
  const { store, erasedThere } = importing
  const head = await store.head()
  const erasedHere = head === beforeAll ? new Set<number>() : await erasedUsers(store, { upTo: head })
  const erased = new Set([...erasedHere, ...erasedThere])
  const compared = await compare(importing, erasedHere)
  const { missingFrom, truncations, ahead } = compared
  const events = missingFrom === null ? 0 : await restoreFrom(importing, missingFrom, erased)
  for (const [stream, before] of truncations) await store.truncate(stream, before)
  return { events, truncated: truncations.size, ahead }
}

async function compare(importing: Importing, erasedHere: ReadonlySet<number>): Promise<Compared> {
  const { store, erasedThere, shell } = importing
  const { signal } = shell
  const comparison = createComparison({ store, erasedHere, erasedThere, signal })
  try {
    for await (const lines of placedLines(importing, 'compare')) {
      for (const line of lines) await comparison.take(line)
      if (comparison.isDecided()) break
    }
    return await comparison.end()
  } catch (error) {
    if (signal.aborted) throw new Stopped(howToGoOn)
    if (!(error instanceof LogsDiffer)) throw error
    const advice = 'import into an empty store, or one that holds an earlier export of the same log'
    throw new ToolFailure(exitCodes.difference, `${error.message}; ${advice}`, { cause: error })
  }
}

async function restoreFrom(
  importing: Importing,
  first: number,
  erased: ReadonlySet<number>,
): Promise<number> {
  let events = 0
  let waiting: TransferredEvent[] = []
  async function write(): Promise<void> {
    await importing.store.restore(waiting).catch(refuse)
    events += waiting.length
    waiting = []
  }
  for await (const lines of placedLines(importing, 'import')) {
    for (const line of lines) {
      if (line.place.line < first || line.kind === 'redacted' || isForgotten(line, erased)) continue
      waiting.push(transferred(line))
      if (waiting.length >= eventsPerWrite) await write()
    }
  }
  if (waiting.length > 0) await write()
  return events
}

function refuse(error: unknown): never {
  const said = (message: string) => new ToolFailure(exitCodes.difference, message, { cause: error })
  if (error instanceof RevisionConflict) {
    const advice = 'somebody else writes to this store: stop that, and run the same command again'
    throw said(`${error.message}; ${advice}`)
  }
  if (error instanceof EventTooLarge) throw said(`${error.message}; raise that limit: ${howToGoOn}`)
  throw error
}

function transferred(line: Extract<PlacedLine, { kind: 'event' }>): TransferredEvent {
  const event = eventIn(line)
  const { stream, revision } = line.place
  if (!event)
    throw new ToolFailure(exitCodes.difference, `expected an event in line ${line.place.line}, found none`)
  return { ...event, stream, revision: BigInt(revision) }
}

async function* placedLines({ shell, file }: Importing, title: string): AsyncGenerator<PlacedLine[]> {
  for await (const lines of readExport(shell, file, { title, howToGoOn, onProblem: refuseBroken(file) })) {
    yield lines.flatMap(({ read }) => (read?.kind === 'event' || read?.kind === 'redacted' ? [read] : []))
  }
}
