import Koa from 'koa'
import type { Logger } from 'pino'
import type { Accounts } from '../account/accounts.ts'
import type { PublicJwk } from '../account/signing-keys.ts'
import type { AccountHistory } from '../history/account-history.ts'
import type { KnownAddresses } from '../limits/known-addresses.ts'
import type { Limiter } from '../limits/limiter.ts'
import type { LimitName } from '../limits/rules.ts'
import type { ProfileQueries } from '../projector/profile-queries.ts'
import type { SessionQueries } from '../projector/session-queries.ts'
import { createClientOf } from './client.ts'
import { createCredentials, requireOwner } from './credentials.ts'
import { createCrossOrigin } from './cross-origin.ts'
import { createDispatch } from './dispatch.ts'
import { docsFiles, showDocs } from './docs.ts'
import { changeEmailBody, confirmEmailBody, createEmailChangeRoutes } from './email-change.ts'
import { createEraseUser, eraseBody } from './erasure.ts'
import { json, steps } from './exchange.ts'
import { createExportUser } from './export.ts'
import { parse, read } from './fields.ts'
import { fixedHeaders } from './headers.ts'
import { showHealth } from './health.ts'
import { createHideTime } from './hide-time.ts'
import { asItIsOrWas, createHistoryRoutes } from './history.ts'
import { createLimits } from './limits.ts'
import { createNewCommand, createNewContext } from './new-context.ts'
import { createObserve, type RequestAnswered, type RequestState } from './observe.ts'
import { openApiDocument } from './openapi.ts'
import { changePasswordBody, createChangePassword } from './password-change.ts'
import {
  confirmResetBody,
  createPasswordResetRoutes,
  requestResetBody,
  validateResetBody,
} from './password-reset.ts'
import { createEditProfile, createViewProfile, editProfileBody } from './profile.ts'
import { createRegister, registerBody } from './register.ts'
import { at, createRouter, type Route } from './router.ts'
import { createSearchProfiles, type SearchEnvelope } from './search.ts'
import { createSessionRoutes } from './sessions.ts'
import { createTokenRoutes, obtainBody, refreshBody, revokeBody } from './tokens.ts'

export type HttpSettings = {
  commandTimeoutMs: number
  hideUnknownEmails: boolean
  searchEnvelope: SearchEnvelope
  corsOrigins: readonly string[]
  trustProxy: boolean
}

export type AppParts = {
  accounts: Accounts
  profiles: ProfileQueries
  sessions: SessionQueries
  history: AccountHistory
  /** The keys by which others verify access tokens. */
  publicKeys: readonly PublicJwk[]
  settings: HttpSettings
  log: Logger
  limiter: Limiter
  known: KnownAddresses
  /** For metrics. */
  requestAnswered: RequestAnswered
  throttled(limit: LimitName): void
  loginFailed(): void
  /** Whether connections are to be closed after their present answer: the process is about to stop. */
  isStopping(): boolean
}

/** The whole API as a Koa application. */
export function createApp(parts: AppParts): Koa<RequestState> {
  const { settings, log, isStopping } = parts
  const app = new Koa<RequestState>()
  app.use(createObserve(createRouter(createRoutes(parts)), log, parts.requestAnswered))
  app.use(createCrossOrigin(settings.corsOrigins))
  app.use(createDispatch({ headers: fixedHeaders(settings.corsOrigins), log, isStopping }))
  app.on('error', error => log.debug({ err: error }, 'a connection broke'))
  return app
}

/** Every route. What is limited by address is so before anything else is looked at. */
export function createRoutes(parts: AppParts): Route[] {
  const { accounts, profiles, sessions: sessionQueries, publicKeys, settings } = parts
  const hideTime = settings.hideUnknownEmails ? createHideTime() : null
  const newContext = createNewContext(settings.commandTimeoutMs)
  const newCommand = createNewCommand(newContext)
  const { recogniseViewer, requireAccount, requireAccountOrKey } = createCredentials(accounts, newContext)
  const register = createRegister(accounts, newCommand, hideTime)
  const clientOf = createClientOf(settings.trustProxy)
  const limits = createLimits({ ...parts, ...settings, clientOf })
  const tokens = createTokenRoutes(accounts, newCommand, { clientOf, limits })
  const sessions = createSessionRoutes(accounts, sessionQueries, newContext, newCommand)
  const reset = createPasswordResetRoutes(accounts, newContext, newCommand, hideTime)
  const limitEdits = limits.byAccount('edits-per-account')
  const limitRegistrations = limits.byAddress('registrations-per-address')
  const readRegistration = read(registerBody)
  const readLogin = limits.beforeRefusals('logins-per-address', parse(obtainBody))
  const limitResets = limits.byAddress('resets-per-address')
  const readReset = parse(requestResetBody)
  const readPasswordChange = parse(changePasswordBody)
  const changePassword = createChangePassword(accounts, newCommand, limits)
  const limitEmailChanges = limits.byAddress('email-changes-per-address')
  const readEmailChange = parse(changeEmailBody)
  const email = createEmailChangeRoutes(accounts, newCommand, { hideTime, limits })
  const history = createHistoryRoutes(parts.history, newContext)
  const viewProfile = asItIsOrWas(
    steps(recogniseViewer, createViewProfile(profiles)),
    steps(requireAccount, requireOwner, history.showProfileAt),
  )
  const editProfile = createEditProfile(accounts, newContext, newCommand)
  const readEdit = read(editProfileBody)
  const edit = steps(requireAccount, requireOwner, limitEdits, readEdit, editProfile)
  const readErasure = parse(eraseBody)
  const eraseUser = createEraseUser(accounts, newCommand, limits)
  const erase = steps(requireAccountOrKey, requireOwner, limitEdits, readErasure, eraseUser)
  const exportUser = createExportUser(accounts, sessionQueries, newContext)
  const searchProfiles = createSearchProfiles(profiles, settings.searchEnvelope)
  const search = steps(limits.byAddress('searches-per-address'), recogniseViewer, searchProfiles)
  const jwks = json(200, { keys: publicKeys })
  const openApi = json(200, openApiDocument(settings.searchEnvelope))
  return [
    at('/api/user/create/', 'noStore', {
      POST: steps(limitRegistrations, readRegistration, register),
    }),
    at('/api/token/obtain/', 'noStore', { POST: steps(readLogin, tokens.obtainTokens) }),
    at('/api/token/refresh/', 'noStore', { POST: steps(parse(refreshBody), tokens.refreshTokens) }),
    at('/api/token/revoke/', 'noStore', { POST: steps(parse(revokeBody), tokens.revokeToken) }),
    at('/api/sessions/', 'noStore', {
      GET: steps(requireAccount, sessions.list),
      DELETE: steps(requireAccount, limitEdits, sessions.endOthers),
    }),
    at('/api/sessions/:id/', 'noStore', {
      DELETE: steps(requireAccountOrKey, limitEdits, sessions.endOne),
    }),
    at('/api/password/reset/', 'noStore', {
      POST: steps(limitResets, readReset, limits.byMailbox, reset.requestReset),
    }),
    at('/api/password/reset/confirm/', 'noStore', {
      POST: steps(parse(confirmResetBody), reset.confirmReset),
    }),
    at('/api/password/reset/validate_token/', 'noStore', {
      POST: steps(parse(validateResetBody), reset.validateToken),
    }),
    at('/api/password/change/', 'noStore', {
      POST: steps(requireAccount, limitEdits, readPasswordChange, changePassword),
    }),
    at('/api/email/change/', 'noStore', {
      POST: steps(limitEmailChanges, requireAccount, limitEdits, readEmailChange, email.changeEmail),
    }),
    at('/api/email/confirm/', 'noStore', { POST: steps(parse(confirmEmailBody), email.confirmEmail) }),
    at('/api/users/:username/', 'ownView', { GET: viewProfile, PUT: edit, PATCH: edit, DELETE: erase }),
    at('/api/users/:username/history/', 'ownView', {
      GET: steps(requireAccount, requireOwner, history.list),
    }),
    at('/api/users/:username/export/', 'ownView', {
      GET: steps(requireAccount, requireOwner, exportUser),
    }),
    at('/api/users/', 'ownView', { GET: search }),
    at('/openapi.json', 'public', { GET: () => openApi }),
    at('/docs/', 'page', { GET: showDocs }),
    ...docsFiles.map(([name, showFile]) => at(`/docs/${name}`, 'page', { GET: showFile })),
    at('/.well-known/jwks.json', 'public', { GET: () => jwks }),
    at('/healthz', 'noStore', { GET: showHealth }),
  ]
}
