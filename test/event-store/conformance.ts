import type { EventStore } from '../../src/event-store/event-store.ts'
import { appendTests } from './conformance/appends.ts'
import { readTests } from './conformance/reads.ts'
import { sharingTests } from './conformance/sharing.ts'
import { subscriptionTests } from './conformance/subscriptions.ts'
import { truncationTests } from './conformance/truncation.ts'

/** A store under test. The log behind it may hold other streams: each test makes names of its own. */
export type OpenedStore = {
  store: EventStore
  /** Closes the store and opens one on the same log. */
  reopen: () => Promise<EventStore>
  /** Opens one more store on the same log, as another process would; `close` closes it too. */
  openAnother: () => Promise<EventStore>
  /** Closes all that was opened, what a test closed itself too, and leaves nothing behind. */
  close: () => Promise<void>
}

/** Every promise of the port `src/event-store/event-store.ts`, as tests of the adapter that `open` opens. */
export function eventStoreConformance(name: string, open: () => Promise<OpenedStore>): void {
  describe(`${name}, as an event store`, () => {
    let opened: OpenedStore
    beforeEach(async () => {
      opened = await open()
    })
    afterEach(() => opened.close())

    const current = () => opened
    describe('append', () => appendTests(current))
    describe('readStream, readAll and head', () => readTests(current))
    describe('subscribe', () => subscriptionTests(current))
    describe('truncate', () => truncationTests(current))
    describe('a log that outlives its stores and has several', () => sharingTests(current))
  })
}
