import { layOutMail, type MailContent, readableTime } from './mail-layout.ts'
import type { TokenMail } from './reset-mail.ts'

/** Has the token that proves the address it is sent to, and says until when it can be used. */
export function emailConfirmationMail({ username, token, pageUrl, expiresAt }: TokenMail): MailContent {
  return layOutMail({
    subject: 'Confirm your e-mail address',
    username,
    intro: ['this address is to be that of your account.', 'To confirm it, use this token:'],
    token: { text: token, pageUrl },
    outro: [
      `It can be used once, until ${readableTime(expiresAt)}.`,
      'If you know nothing of this, you need not do anything:',
      'the address stays out of the account.',
    ],
  })
}
