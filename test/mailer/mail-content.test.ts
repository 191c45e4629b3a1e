import { expect } from 'chai'
import type { DueMail, MailAbout } from '../../src/account/account.ts'
import { createTokens } from '../../src/account/tokens.ts'
import { mailContent } from '../../src/mailer/mail-content.ts'

const tokens = createTokens({ secret: Buffer.alloc(32, 1) })
const account = { userId: 9_007_199_254_740_991, username: 'a'.repeat(150) }
const pages = { resetUrl: 'https://r.example/?t={token}', emailUrl: 'https://e.example/?t={token}' }

const kinds: MailAbout[] = [
  { kind: 'reset' },
  { kind: 'emailConfirmation' },
  { kind: 'passwordChanged' },
  { kind: 'emailChanged' },
  { kind: 'emailWanted', for: 'registration' },
  { kind: 'emailWanted', for: 'change' },
  { kind: 'sessionStolen', device: '<b>'.repeat(66), addressRange: '2001:db8:1::/48' },
]

const due = (about: MailAbout): DueMail => ({
  ...about,
  mailId: 'Zm9vYmFyYmF6cXV4Zm9vYg',
  to: 'kaya@example.org',
  askedAt: '2026-01-02T03:04:05.000Z',
  expiresAt: '2026-01-03T04:05:06.000Z',
  reason: null,
})
const contentOf = (about: MailAbout) => mailContent(due(about), account, { tokens, ...pages })

describe('A mail', () => {
  for (const about of kinds) {
    it(`names the user and has short lines but for a link: ${about.kind}`, () => {
      const { subject, text, html } = contentOf(about)
      expect(subject).to.match(/^[\x20-\x7e]{5,70}$/)
      expect(text).to.contain(`Hello ${account.username},`)
      const own = text.split('\n').filter(line => !line.startsWith('https://') && !line.startsWith('Hello'))
      for (const line of own) expect([...line].length, line).to.be.at.most(90)
      expect(html).not.to.contain('<b>')
    })
  }

  it('has the token of its purpose, and the page where it is used', () => {
    for (const [kind, made, page] of [
      ['reset', tokens.resets, 'https://r.example/?t='],
      ['emailConfirmation', tokens.emailChanges, 'https://e.example/?t='],
    ] as const) {
      const { userId } = account
      const token = made.make({ userId, id: due({ kind }).mailId, expiresAt: due({ kind }).expiresAt })
      const lines = contentOf({ kind }).text.split('\n')
      expect(lines).to.include(token).and.to.include(`${page}${token}`)
      expect(lines.join(' ')).to.include('until 2026-01-03 04:05 UTC')
    }
  })

  it('has no token and no link if it only tells something', () => {
    for (const about of kinds.slice(2)) {
      const { text, html } = contentOf(about)
      expect(text).not.to.match(/^\d+\.[\w-]+\.[\w-]+$/m)
      expect(`${text}${html}`).not.to.contain('http')
      expect(text).to.contain('2026-01-02 03:04 UTC')
    }
  })

  it('tells of a theft where the session was, as far as that is known', () => {
    expect(contentOf({ kind: 'sessionStolen', device: 'Firefox', addressRange: '192.0.2.0/24' }).text)
      .to.contain('Firefox')
      .and.to.contain('192.0.2.0/24')
    const unknown = contentOf({ kind: 'sessionStolen', device: '', addressRange: '' }).text
    expect(unknown).not.to.contain('last used')
  })
})
