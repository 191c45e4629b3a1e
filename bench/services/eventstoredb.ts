import { startEventStoreDB } from '../../test/support/eventstoredb/server.ts'

/** The tests' own server of EventStoreDB's protocol, in a process of its own. */
const { url } = await startEventStoreDB()
process.on('disconnect', () => process.exit())
process.send?.({ url })
