import { mkdir, open, readdir, rename, rm, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import nodemailer from 'nodemailer'
import type { MailContent } from './mail-layout.ts'

export type Mail = MailContent & { id: string; userId: number; to: string }

/**
 * Takes mails for delivery. `send` resolves when the mail is in other hands, or durable on disk; `forget` removes what is
 * kept here of a user's mails.
 */
export type MailTransport = {
  send(mail: Mail): Promise<{ messageId: string }>
  forget(userId: number): Promise<void>
  close(): void
}

const answerTimeoutMs = 20_000

/** Sends by SMTP. `send` rejects when the server refuses or does not answer within 20 s. */
export function smtpTransport(smtpUrl: string, from: string): MailTransport {
  const transport = nodemailer.createTransport({
    url: smtpUrl,
    pool: true,
    maxConnections: 5,
    connectionTimeout: answerTimeoutMs,
    greetingTimeout: answerTimeoutMs,
    socketTimeout: answerTimeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  return {
    async send(mail) {
      const message = envelope(mail, from)
      await transport.sendMail(message)
      return { messageId: message.messageId }
    },
    forget: async () => {},
    close: () => transport.close(),
  }
}

/** Writes each mail to `<folder>/<user id>-<id>.eml` (mode 0600); the same mail again replaces the file. */
export function outboxTransport(folder: string, from: string): MailTransport {
  const transport = nodemailer.createTransport({
    streamTransport: true,
    buffer: true,
    newline: 'unix',
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  return {
    async send(mail) {
      const message = envelope(mail, from)
      const { message: content } = await transport.sendMail(message)
      if (!Buffer.isBuffer(content)) throw new Error('expected the mail as a buffer, found a stream')
      await writeDurably(folder, `${mail.userId}-${mail.id}.eml`, content)
      return { messageId: message.messageId }
    },
    forget: userId => removeMails(folder, userId),
    close: () => transport.close(),
  }
}

/** The same mail always has the same Message-ID, so that a receiver can tell a repeated one. */
function envelope(mail: Mail, from: string) {
  const domain = /@([^\s<>@]+)>?\s*$/.exec(from)?.[1] ?? 'localhost'
  const { id, to, subject, text, html } = mail
  // An address object is taken as it is; in a string, commas and brackets would be read as syntax.
  return { messageId: `<${id}@${domain}>`, from, to: { name: '', address: to }, subject, text, html }
}

async function writeDurably(folder: string, name: string, content: Buffer): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const draft = join(folder, `.${name}.${process.pid}`)
  const file = await open(draft, 'w', 0o600)
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
  try {
    await rename(draft, join(folder, name))
  } catch (error) {
    await unlink(draft).catch(() => {})
    throw error
  }
  await sync(folder)
}

/** Drafts too, which somebody who was killed may have left. */
async function removeMails(folder: string, userId: number): Promise<void> {
  const names = await readdir(folder).catch(error => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  })
  const theirs = names.filter(name => name.replace(/^\./, '').startsWith(`${userId}-`))
  for (const name of theirs) await rm(join(folder, name), { force: true })
  if (theirs.length > 0) await sync(folder)
}

async function sync(folder: string): Promise<void> {
  const directory = await open(folder, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
