/** What a reset mail says. */
export type ResetMail = {
  username: string
  token: string
  /** The page where a new password is chosen, with `{token}` for the token; null if there is none. */
  resetUrl: string | null
  expiresAt: string
}

export type MailContent = { subject: string; text: string; html: string }

/** Names the user, holds the token on a line of its own and the link if there is one, and says when it ends. */
export function resetMail(mail: ResetMail): MailContent {
  const until = `${mail.expiresAt.slice(0, 10)} ${mail.expiresAt.slice(11, 16)} UTC`
  const link = mail.resetUrl?.replaceAll('{token}', encodeURIComponent(mail.token)) ?? null
  const greeting = `Hello ${mail.username},`
  const intro = 'somebody asked for a new password for your account. If it was you, use this token:'
  const outro = [
    `It can be used once, until ${until}.`,
    'If it was not you, you need not do anything: your password stays as it is.',
  ]
  const text = [
    greeting,
    '',
    intro,
    '',
    mail.token,
    '',
    ...(link ? ['or open this page:', '', link, ''] : []),
    ...outro,
    '',
  ].join('\n')
  const html = [
    '<!doctype html>',
    `<p>${escapeHtml(greeting)}</p>`,
    `<p>${intro}</p>`,
    '<p><code>',
    escapeHtml(mail.token),
    '</code></p>',
    ...(link ? [`<p>or open <a href="${escapeHtml(link)}">this page</a>.</p>`] : []),
    `<p>${outro.join('<br>\n')}</p>`,
    '',
  ].join('\n')
  return { subject: 'Choose a new password', text, html }
}

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, character => entities[character] ?? character)
}
