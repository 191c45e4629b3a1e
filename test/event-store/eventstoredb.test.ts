import { openOnWireLevelServer } from '../support/eventstoredb-stores.ts'
import { eventStoreConformance } from './conformance.ts'

eventStoreConformance('EventStoreDB', () => openOnWireLevelServer())
