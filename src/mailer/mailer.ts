import {
  type Account,
  abandonMail,
  type DueMail,
  dueMail,
  isRegistered,
  mailAskedForBy,
  type RegisteredAccount,
  recordMailSent,
  unwantedMail,
} from '../account/account.ts'
import { accountStream, accounts } from '../account/aggregates.ts'
import type { Claims } from '../account/claims.ts'
import type { Handler, Intent } from '../account/handle.ts'
import { provedOwner } from '../account/proved-owner.ts'
import type { Recorded } from '../account/recorded.ts'
import type { Tokens } from '../account/tokens.ts'
import { beforeAll, type Position } from '../event-store/event-store.ts'
import { mailContent } from './mail-content.ts'
import { emailWantedMail } from './notice-mails.ts'
import type { Mail, MailTransport } from './transport.ts'

export type MailerLog = {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}

type Pending = {
  mailId: string
  stream: string
  position: Position
  requestId: string
  causationId: string
  attempts: number
  /** Set once the mail is out and only the note of it is missing: it is not sent again for that. */
  messageId: string | null
  /** Whose mail it is that is out: it is removed with that user. */
  sentOf: number | null
  timer: NodeJS.Timeout | null
}

const commandTimeoutMs = 5000
const atOnce = 8

/**
 * Sends the mails that events ask for: at least once, and never again once MailSent is in the log. What was used,
 * superseded or expired meanwhile gets MailAbandoned instead. A mail that fails is tried again after growing
 * pauses, beside the others. Where somebody wants an address that another user proved, that one is told, and the mail that
 * was due is noted as sent: who wants it cannot tell. Feed it every account event in order; it acts once it was told to
 * `begin`.
 */
export function createMailer(options: {
  handler: Handler
  claims: Pick<Claims, 'holder'>
  transport: MailTransport
  tokens: Tokens
  resetUrl: string | null
  emailUrl?: string | null
  now(): number
  /** Asked right before a mail goes out: false once another mailer may be at work. */
  mayAct(): boolean
  log: MailerLog
  /** The pause before the second attempt, doubled for each further one up to `longestPauseMs`. */
  firstPauseMs?: number
  longestPauseMs?: number
  sent?(outcome: 'sent' | 'failed' | 'abandoned'): void
}) {
  const { handler, claims, transport, tokens, resetUrl, emailUrl = null, log } = options
  const material = { tokens, resetUrl, emailUrl }
  const firstPauseMs = options.firstPauseMs ?? 1000
  const longestPauseMs = options.longestPauseMs ?? 600_000
  const pending = new Map<string, Pending>()
  const ready: Pending[] = []
  const working = new Set<Promise<void>>()
  let begun = false
  let stopped = false

  function work(): void {
    while (begun && !stopped && working.size < atOnce) {
      const mail = ready.shift()
      if (!mail) return
      const attempt = deliver(mail)
        .catch(error => retryLater(mail, error))
        .finally(() => {
          working.delete(attempt)
          work()
        })
      working.add(attempt)
    }
  }

  async function deliver(mail: Pending): Promise<void> {
    if (pending.get(mail.mailId) !== mail) return
    const deadline = performance.now() + commandTimeoutMs
    const { state: account } = await handler.load(accounts, mail.stream, deadline)
    const due = dueMail(account, mail.mailId)
    if (!due || !isRegistered(account)) {
      await withdrawIfErased(mail, account)
      forget(mail)
      return
    }
    const now = new Date(options.now()).toISOString()
    if (mail.messageId === null && unwantedMail(due, now)) {
      await note(mail, 'abandoned', (state, at) => abandonMail(state, { mailId: mail.mailId, now: at }))
      return
    }
    if (!options.mayAct()) {
      // A lease that could not be renewed for a while may still turn out to be ours: then nobody else sends it.
      attemptLater(mail, firstPauseMs)
      return
    }
    if (mail.messageId === null) {
      const letter = await written(due, account, deadline)
      mail.messageId = (await transport.send(letter)).messageId
      mail.sentOf = letter.userId
    }
    const { messageId } = mail
    await note(mail, 'sent', state => recordMailSent(state, { mailId: mail.mailId, messageId }))
  }

  /** A mail as it is to go out. Of a token that would be good for nothing the address's owner is told instead. */
  async function written(due: DueMail, account: RegisteredAccount, deadline: number): Promise<Mail> {
    const { mailId: id, askedAt: at, to } = due
    const { userId } = account
    const owner =
      due.kind === 'emailConfirmation'
        ? await provedOwner({ claims }, to, { exceptUser: userId, deadline })
        : null
    if (!owner) return { id, userId, to, ...mailContent(due, account, material) }
    const notice = emailWantedMail({ username: owner.username, at, for: 'change' })
    return { id, userId: owner.userId, to: owner.email, ...notice }
  }

  /** Erased while this was sent: whoever removed the user's mails may have come too early for it. */
  async function withdrawIfErased({ stream, sentOf }: Pending, account: Account): Promise<void> {
    if (sentOf === null) return
    const whose = accountStream(sentOf)
    const deadline = performance.now() + commandTimeoutMs
    const state = whose === stream ? account : (await handler.load(accounts, whose, deadline)).state
    if (state.status === 'erased') await transport.forget(sentOf)
  }

  async function note(
    mail: Pending,
    outcome: 'sent' | 'abandoned',
    decide: (state: Account, now: string) => ReturnType<typeof abandonMail>,
  ): Promise<void> {
    const intent: Intent = {
      key: `mail ${mail.mailId} ${outcome}`,
      actor: 'system',
      requestId: mail.requestId,
      causationId: mail.causationId,
      deadline: performance.now() + commandTimeoutMs,
    }
    const { state } = await handler.handle(accounts, mail.stream, intent, (before, _revision, now) =>
      decide(before, now),
    )
    await withdrawIfErased(mail, state)
    forget(mail)
    options.sent?.(outcome)
    log.info({ mail: mail.mailId, attempts: mail.attempts + 1 }, `mail ${outcome}`)
  }

  function retryLater(mail: Pending, error: unknown): void {
    if (pending.get(mail.mailId) !== mail) return
    mail.attempts += 1
    const pauseMs =
      Math.min(longestPauseMs, firstPauseMs * 2 ** (mail.attempts - 1)) * (0.8 + 0.4 * Math.random())
    options.sent?.('failed')
    log.warn(
      {
        mail: mail.mailId,
        attempts: mail.attempts,
        nextAttemptInMs: Math.round(pauseMs),
        code: errorCode(error),
      },
      mail.messageId === null ? 'a mail could not be sent' : 'a mail was sent but not noted yet',
    )
    attemptLater(mail, pauseMs)
  }

  function attemptLater(mail: Pending, pauseMs: number): void {
    if (stopped) return
    mail.timer = setTimeout(() => {
      mail.timer = null
      ready.push(mail)
      work()
    }, pauseMs)
  }

  function forget(mail: Pending): void {
    if (mail.timer) clearTimeout(mail.timer)
    pending.delete(mail.mailId)
  }

  return {
    /** Takes note of events; those that need nothing are passed over. */
    observe(events: readonly Recorded[]): void {
      for (const event of events) {
        const mailId = mailAskedForBy(event)
        if (mailId !== null) {
          if (pending.has(mailId)) continue
          const { stream, position, metadata, id: causationId } = event
          const requestId = metadata.$correlationId
          const mail = { mailId, stream, position, requestId, causationId }
          const entry: Pending = { ...mail, attempts: 0, messageId: null, sentOf: null, timer: null }
          pending.set(mailId, entry)
          ready.push(entry)
        } else if (event.type === 'MailSent' || event.type === 'MailAbandoned') {
          const mail = pending.get(event.data.mailId)
          if (mail) forget(mail)
        }
      }
      work()
    },

    /** Starts to send: what was observed so far is all there was. */
    begin(): void {
      begun = true
      work()
    },

    /** Up to where every mail is settled, given that all up to `observed` was observed. */
    settledUpTo(observed: Position): Position {
      let oldest: Position | null = null
      for (const { position } of pending.values()) {
        if (oldest === null || position < oldest) oldest = position
      }
      if (oldest === null || oldest > observed) return observed
      return oldest > beforeAll ? oldest - 1n : beforeAll
    },

    /** Sends nothing more; resolves when mails being sent are noted or given up. */
    async stop(): Promise<void> {
      stopped = true
      for (const mail of pending.values()) if (mail.timer) clearTimeout(mail.timer)
      await Promise.all(working)
    },
  }
}

/** What kind of failure; the message itself may hold an address. */
function errorCode(error: unknown): string {
  if (!(error instanceof Error)) return typeof error
  const code = 'code' in error ? String(error.code) : error.name
  return 'responseCode' in error ? `${code} ${String(error.responseCode)}` : code
}
