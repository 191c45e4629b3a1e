import { expect } from 'chai'
import { profiles } from '../../projections/profiles.ts'
import { toRecorded } from '../../src/account/upcasters.ts'
import type { EventStore } from '../../src/event-store/event-store.ts'
import { foldEvents, keyEvents } from '../../src/projector/fold.ts'
import type { StoredDocument } from '../../src/read-store/read-store.ts'
import { compareDocuments } from '../../src/tools/verifying/documents.ts'
import type { Finding } from '../../src/tools/verifying/finding.ts'
import { edited, foldOfLog, openStage, registered, type Stage, unreadable } from '../projector/stage.ts'

describe('a comparison of documents with the log', () => {
  let stage: Stage

  beforeEach(async () => {
    stage = await openStage()
    await stage.append(1, registered(1, 'ada'), edited({ bio: 'told' }))
    const worker = await stage.start()
    await stage.untilTrue()
    await worker.stop()
  })
  afterEach(() => stage.close())

  async function mend(eventStore: EventStore = stage.eventStore): Promise<Finding[]> {
    const { readStore } = stage
    const [generation] = await readStore.generations('profiles')
    if (!generation) throw new Error('expected a generation, found none')
    const truth = await foldOfLog(stage.eventStore, profiles)
    const found: Finding[] = []
    await compareDocuments({
      eventStore,
      readStore,
      projection: profiles,
      generation,
      truth: { scan: async ({ after }) => (after === null ? truth : []) },
      repair: true,
      report: async finding => void found.push(finding),
      signal: new AbortController().signal,
    })
    return found
  }

  /** As somebody with the wrong hands does. */
  async function tamper(key: string, change: (stored: StoredDocument<object>) => object): Promise<void> {
    const documents = await stage.documents(profiles)
    const stored = (await documents.read([key])).get(key)
    if (!stored) throw new Error('expected a document, found none')
    await documents.repair(key, stored.revision, { ...stored, ...change(stored) })
  }

  /** Applies the end of a stream, as the worker of a service does. */
  async function applyEnd(stream: string): Promise<void> {
    const events = await stage.eventStore.readStream(stream, { direction: 'backwards', limit: 1 })
    const { keyed } = keyEvents(profiles, events, toRecorded)
    const documents = await stage.documents(profiles)
    await documents.apply({
      keys: keyed.map(({ key }) => key),
      fold: stored => ({ writes: foldEvents(profiles, keyed, stored).writes, parked: [] }),
      follower: 'profiles.1',
      progress: [],
      searchLater: false,
    })
  }

  it('mends no document over an edit that was applied meanwhile', async () => {
    await tamper('1', ({ document }) => ({ document: { ...document, bio: 'hacked' } }))
    let hasSlippedIn = false
    const found = await mend({
      ...stage.eventStore,
      async readStream(...asked) {
        const events = await stage.eventStore.readStream(...asked)
        if (events.length === 0 && !hasSlippedIn) {
          hasSlippedIn = true
          await stage.append(1, edited({ location: 'here' }))
          await applyEnd('user-1')
        }
        return events
      },
    })
    expect({ hasSlippedIn, found: found.length }).to.deep.equal({ hasSlippedIn: true, found: 1 })
    const mended = await (await stage.documents(profiles)).getAt('1')
    expect(mended?.revision).to.equal(2n)
    expect(mended?.document).to.include({ bio: 'told', location: 'here' })
  })

  it('mends a document up to the first event that cannot be read, however far behind it the stream goes on', async () => {
    await stage.append(1, unreadable(), ...Array.from({ length: 500 }, () => edited({ bio: 'beyond' })))
    await tamper('1', ({ document }) => ({ document: { ...document, bio: 'hacked' } }))
    expect(await mend()).to.have.length(1)
    const mended = await (await stage.documents(profiles)).getAt('1')
    expect(mended?.revision).to.equal(1n)
    expect(mended?.document).to.include({ bio: 'told' })
  })
})
