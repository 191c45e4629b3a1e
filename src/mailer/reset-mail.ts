import { layOutMail, type MailContent, readableTime } from './mail-layout.ts'

/** What a mail with a token says. `pageUrl` is where the token is used, with `{token}` for it; null if nowhere. */
export type TokenMail = { username: string; token: string; pageUrl: string | null; expiresAt: string }

/** Has the token that chooses a new password, and says until when it can be used. */
export function resetMail({ username, token, pageUrl, expiresAt }: TokenMail): MailContent {
  return layOutMail({
    subject: 'Choose a new password',
    username,
    intro: ['somebody asked for a new password for your account.', 'If it was you, use this token:'],
    token: { text: token, pageUrl },
    outro: [
      `It can be used once, until ${readableTime(expiresAt)}.`,
      'If it was not you, you need not do anything:',
      'your password stays as it is.',
    ],
  })
}
