import type { RosterEventType } from '../../src/account/events.ts'
import { currentVersion } from '../../src/account/upcasters.ts'
import { describeNewVersions } from './stored-shape-book.ts'

// After a new event, or a new version of one: `node --import tsx test/support/describe-stored-shapes.ts`.
describeNewVersions(type => currentVersion(type as RosterEventType))
