import { bodyCases } from './bodies.ts'
import { credentialsCases } from './credentials.ts'
import { crossOriginCases } from './cross-origin.ts'
import { docsCases } from './docs.ts'
import { emailChangeCases } from './email-change.ts'
import { entityTagCases } from './entity-tags.ts'
import { erasureCases } from './erasure.ts'
import { everywhereCases } from './everywhere.ts'
import { exportCases } from './export.ts'
import { fuzzCases } from './fuzz.ts'
import { hiddenEmailCases } from './hidden-emails.ts'
import { historyCases } from './history.ts'
import { idempotencyCases } from './idempotency.ts'
import { limitCases } from './limits.ts'
import { logCases } from './logs.ts'
import { overloadCases } from './overload.ts'
import { passwordChangeCases } from './password-change.ts'
import { passwordResetCases } from './password-reset.ts'
import { profileCases } from './profile.ts'
import { raceCases } from './races.ts'
import { registerCases } from './register.ts'
import { searchCases } from './search.ts'
import { sessionCases } from './sessions.ts'
import { stoppingCases } from './stopping.ts'
import { type StartServer, withServer } from './test-server.ts'
import { timeCases } from './time.ts'
import { tokenCases } from './tokens.ts'
import { visibleCases } from './visible.ts'

/** The whole HTTP contract over real HTTP, on whichever stores `start` starts Roster with. */
export function httpSuite(name: string, start: StartServer): void {
  routesSuite(name, start)
  behaviourSuite(name, start)
}

/** What each route answers. */
export function routesSuite(name: string, start: StartServer): void {
  describe(`the routes of the HTTP API on ${name}`, () => {
    const running = withServer(start)
    registerCases(running)
    tokenCases(running)
    sessionCases(running, start)
    passwordResetCases(running, start)
    passwordChangeCases(running)
    emailChangeCases(running, start)
    hiddenEmailCases(start)
    profileCases(running)
    entityTagCases(running)
    erasureCases(running, start)
    exportCases(running)
    historyCases(running, start)
    searchCases(running, start)
    docsCases(running)
  })
}

/** What holds for all of them, whatever happens at the same moment and whatever is sent. */
export function behaviourSuite(name: string, start: StartServer): void {
  describe(`the HTTP API on ${name}`, () => {
    const running = withServer(start)
    everywhereCases(running)
    bodyCases(running)
    crossOriginCases(running, start)
    credentialsCases(running)
    raceCases(running)
    idempotencyCases(running, start)
    visibleCases(running, start)
    timeCases(start)
    overloadCases(start)
    stoppingCases(start)
    limitCases(start)
    logCases(running)
    fuzzCases(start)
  })
}
