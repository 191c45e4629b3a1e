import type { DueMail } from '../account/account.ts'
import type { Tokens } from '../account/tokens.ts'
import { emailConfirmationMail } from './email-confirmation-mail.ts'
import type { MailContent } from './mail-layout.ts'
import { emailChangedMail, emailWantedMail, passwordChangedMail, sessionStolenMail } from './notice-mails.ts'
import { resetMail } from './reset-mail.ts'

/** What mails are made of. A page's address has `{token}` for the token; null if there is no page. */
export type MailMaterial = { tokens: Tokens; resetUrl: string | null; emailUrl: string | null }

/** What a mail that is due says. */
export function mailContent(
  mail: DueMail,
  { userId, username }: { userId: number; username: string },
  { tokens, resetUrl, emailUrl }: MailMaterial,
): MailContent {
  const { mailId: id, askedAt: at, expiresAt } = mail
  switch (mail.kind) {
    case 'reset': {
      const token = tokens.resets.make({ userId, id, expiresAt })
      return resetMail({ username, token, expiresAt, pageUrl: resetUrl })
    }
    case 'emailConfirmation': {
      const token = tokens.emailChanges.make({ userId, id, expiresAt })
      return emailConfirmationMail({ username, token, expiresAt, pageUrl: emailUrl })
    }
    case 'passwordChanged':
      return passwordChangedMail({ username, at })
    case 'emailChanged':
      return emailChangedMail({ username, at })
    case 'emailWanted':
      return emailWantedMail({ username, at, for: mail.for })
    case 'sessionStolen':
      return sessionStolenMail({ username, at, device: mail.device, addressRange: mail.addressRange })
  }
}
