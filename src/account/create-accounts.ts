import type { Accounts } from './accounts.ts'
import { confirmEmailChange, requestEmailChange } from './change-email.ts'
import { changePassword } from './change-password.ts'
import { editProfile } from './edit-profile.ts'
import { endOtherSessions, endSession, outlivingAmong, ownSession, revokeToken } from './end-sessions.ts'
import { eraseUser } from './erase-user.ts'
import { exportUser } from './export-user.ts'
import { obtainTokens, requireActiveSession } from './login.ts'
import { refreshTokens } from './refresh.ts'
import { registerUser, registrationProblems } from './register-user.ts'
import { confirmPasswordReset, requestPasswordReset, validateResetToken } from './reset-password.ts'
import type { WriteSide } from './write-side.ts'

/** The commands, bound to what they work with. */
export function createAccounts(side: WriteSide): Accounts {
  return {
    registrationProblems: (user, context) => registrationProblems(side, user, context),
    registerUser: (user, context) => registerUser(side, user, context),
    findUser: async (username, deadline) =>
      (await side.claims.holder('username', username, deadline))?.account.userId ?? null,
    obtainTokens: (login, context) => obtainTokens(side, login, context),
    refreshTokens: (presented, context) => refreshTokens(side, presented, context),
    revokeToken: (refresh, context) => revokeToken(side, refresh, context),
    ownSession: (claims, context) => ownSession(side, claims, context),
    outlivingAmong: (userId, begun, context) => outlivingAmong(side, userId, begun, context),
    endSession: (claims, sessionId, context) => endSession(side, claims, sessionId, context),
    endOtherSessions: (claims, context) => endOtherSessions(side, claims, context),
    requestPasswordReset: (email, context) => requestPasswordReset(side, email, context),
    confirmPasswordReset: (reset, context) => confirmPasswordReset(side, reset, context),
    validateResetToken: async (token, context) => {
      await validateResetToken(side, token, context)
    },
    changePassword: (claims, change, context) => changePassword(side, claims, change, context),
    requestEmailChange: (claims, change, context) => requestEmailChange(side, claims, change, context),
    confirmEmailChange: (token, context) => confirmEmailChange(side, token, context),
    readAccessToken: token => side.tokens.readAccess(token, side.now()),
    requireActive: (claims, context) => requireActiveSession(side, claims, context),
    editProfile: (claims, changes, context, expected) =>
      editProfile(side, claims, changes, context, expected),
    exportUser: (claims, sessionIds, context) => exportUser(side, claims, sessionIds, context),
    eraseUser: (claims, password, context, expected) => eraseUser(side, claims, password, context, expected),
  }
}
