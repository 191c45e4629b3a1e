import { toRecorded, UnreadableEvent } from '../../account/upcasters.ts'
import type { EventStore, RecordedEvent, Revision } from '../../event-store/event-store.ts'
import type { StoredDocument } from '../../read-store/read-store.ts'
import type { Finding, Report } from './finding.ts'
import type { Scratch } from './scratch.ts'
import { createSeenIds } from './seen-ids.ts'

/** The time of a stream's last event, and whom a claim in it names. */
type StreamEnd = { time: string; claimedBy: string | null }

export type StreamChecks = {
  take(events: readonly RecordedEvent[]): Promise<void>
  /** Whom the last claim in each of these streams names; null: there is none. */
  claimants(streams: readonly string[]): Promise<(string | null)[]>
}

/** Checks each stream for gaps, ids that come twice, and times that go back. */
export async function createStreamChecks(
  scratch: Scratch,
  eventStore: EventStore,
  report: Report,
): Promise<StreamChecks> {
  const ends = await scratch.documents<StreamEnd>('streams')
  // No store gives its events positions closer to each other than 1.
  const seen = createSeenIds(Number(await eventStore.head()))

  return {
    async take(events) {
      const findings: Finding[] = []
      const keys = [...new Set(events.map(({ stream }) => stream))]
      await ends.change(keys, stored => {
        const after = new Map<string, StoredDocument<StreamEnd>>()
        for (const event of events) {
          const { stream: key, revision } = event
          const before = after.get(key) ?? stored.get(key)
          findings.push(...checked(event, before))
          const document = { time: timeOf(event), claimedBy: claimantIn(event) }
          after.set(key, { key, stream: key, revision, document })
        }
        return [...after.values()]
      })
      for (const finding of findings) {
        // What is not there may have been truncated since it was begun to read the stream.
        if (finding.kind !== 'gap' || !(await isTruncatedBefore(eventStore, finding))) await report(finding)
      }
      for (const event of events) {
        if (seen.add(event.id)) await reportIfTwice(eventStore, event, report)
      }
    },

    async claimants(streams) {
      const found = await ends.read([...new Set(streams)])
      return streams.map(stream => found.get(stream)?.document?.claimedBy ?? null)
    },
  }
}

async function isTruncatedBefore(
  eventStore: EventStore,
  { stream, revision }: { stream: string; revision: string },
): Promise<boolean> {
  const [first] = await eventStore.readStream(stream, { limit: 1 })
  return first !== undefined && first.revision >= BigInt(revision)
}

function checked(event: RecordedEvent, before: StoredDocument<StreamEnd> | undefined): Finding[] {
  const { stream } = event
  const revision = String(event.revision)
  const findings: Finding[] = []
  // What comes before a stream's first event may have been truncated.
  if (before && event.revision !== before.revision + 1n) {
    const problem = `expected revision ${before.revision + 1n}`
    findings.push({ kind: 'gap', stream, revision, problem })
  }
  const [last = '', now] = [before?.document?.time, timeOf(event)]
  if (now < last)
    findings.push({ kind: 'time goes back', stream, revision, problem: `${now} comes after ${last}` })
  return findings
}

/** ISO times in UTC are in the order of their texts. */
function timeOf({ metadata }: RecordedEvent): string {
  return typeof metadata?.time === 'string' ? metadata.time : ''
}

/** Whom a claim names; null for what is none. One that cannot be read is reported as that. */
export function claimantIn(event: RecordedEvent): string | null {
  if (event.type !== 'NameClaimed') return null
  try {
    const claim = toRecorded(event)
    return claim.type === 'NameClaimed' ? claim.data.stream : null
  } catch (error) {
    if (error instanceof UnreadableEvent) return null
    throw error
  }
}

async function reportIfTwice(eventStore: EventStore, event: RecordedEvent, report: Report): Promise<void> {
  const { stream, revision, id } = event
  const first = await firstWithId(eventStore, stream, id)
  if (first === null || first >= revision) return
  const problem = `revision ${first} has the same id ${id}`
  await report({ kind: 'duplicate id', stream, revision: String(revision), problem })
}

async function firstWithId(eventStore: EventStore, stream: string, id: string): Promise<Revision | null> {
  for (let from = 0n; ; ) {
    const page = await eventStore.readStream(stream, { from, limit: 500 })
    const found = page.find(event => event.id === id)
    const last = page.at(-1)
    if (found || !last) return found?.revision ?? null
    from = last.revision + 1n
  }
}
