export type MailContent = { subject: string; text: string; html: string }

/** What a mail says, as lines. Keep them short: a mail with a long one is encoded, which can break a token's line. */
export type MailParts = {
  subject: string
  username: string
  intro: readonly string[]
  /** On a line of its own, and in the link if there is a page to open: its address has `{token}` for the token. */
  token?: { text: string; pageUrl: string | null }
  outro: readonly string[]
}

/** The mail as text and as HTML. */
export function layOutMail({ subject, username, intro, token, outro }: MailParts): MailContent {
  const greeting = `Hello ${username},`
  const link = token?.pageUrl?.replaceAll('{token}', encodeURIComponent(token.text)) ?? null
  const text = [
    ...[greeting, '', ...intro, ''],
    ...(token ? [token.text, ''] : []),
    ...(link ? ['or open this page:', '', link, ''] : []),
    ...[...outro, ''],
  ].join('\n')
  const html = [
    '<!doctype html>',
    `<p>${escapeHtml(greeting)}</p>`,
    `<p>${escapeHtml(intro.join('\n'))}</p>`,
    ...(token ? ['<p><code>', escapeHtml(token.text), '</code></p>'] : []),
    ...(link ? [`<p>or open <a href="${escapeHtml(link)}">this page</a>.</p>`] : []),
    `<p>${escapeHtml(outro.join('\n'))}</p>`,
    '',
  ].join('\n')
  return { subject, text, html }
}

/** A moment as people read it, in UTC. */
export function readableTime(time: string): string {
  return `${time.slice(0, 10)} ${time.slice(11, 16)} UTC`
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
