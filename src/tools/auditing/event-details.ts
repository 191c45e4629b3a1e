import { type Account, type DueMail, isRegistered } from '../../account/account.ts'
import type { Recorded } from '../../account/recorded.ts'
import type { JsonObject } from '../../event-store/event-store.ts'

/** What an auditor may want to know of an event beside the fields that it changed. No hash, no token, no id of one. */
export function accountDetails(event: Recorded, before: Account): JsonObject {
  switch (event.type) {
    case 'PasswordResetRequested':
    case 'EmailChangeRequested':
      return { expires: event.data.expiresAt }
    case 'EmailLost':
      return { taken_by: event.data.takenBy }
    case 'SessionStolen':
      return { device: event.data.device, address_range: event.data.addressRange }
    case 'PasswordChanged':
    case 'SessionsEnded':
      return { sessions_ended: event.data.exceptSession === null ? 'all' : 'all but the present one' }
    case 'MailSent':
      return mailOf(before, event.data.mailId)
    case 'MailAbandoned':
      return { ...mailOf(before, event.data.mailId), reason: event.data.reason }
    case 'ClaimAbandoned':
      return { reason: event.data.reason }
    case 'UserErased':
      return { username_reserved_until: event.data.reservedUntil }
    default:
      return {}
  }
}

export function sessionDetails(event: Recorded): JsonObject {
  switch (event.type) {
    case 'SessionStarted':
      return { device: event.data.device, address_range: event.data.addressRange }
    case 'SessionRevoked':
      return { reason: event.data.reason }
    default:
      return {}
  }
}

const mailWords: Record<DueMail['kind'], string> = {
  reset: 'password reset',
  emailConfirmation: 'address to confirm',
  passwordChanged: 'password changed',
  emailChanged: 'address changed',
  emailWanted: 'address wanted by somebody else',
  sessionStolen: 'session stolen',
}

function mailOf(account: Account, mailId: string): JsonObject {
  const mail = isRegistered(account) ? account.dueMails.find(each => each.mailId === mailId) : undefined
  return mail ? { mail: mailWords[mail.kind], to: mail.to } : {}
}
