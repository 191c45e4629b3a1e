import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { resetMail } from '../../src/mailer/reset-mail.ts'
import { outboxTransport, smtpTransport } from '../../src/mailer/transport.ts'
import { startSmtpServer } from '../support/smtp-server.ts'
import { withTemporaryFolder } from '../support/temporary-folder.ts'

const token = '4.Zm9vYmFyYmF6cXV4Zm9vYg.1DkLYlZ0dFZtYlZ0dFZtYlZ0dFZtYlZ0'
const content = resetMail({
  username: 'हिन्दी_<b>',
  token,
  pageUrl: 'https://example.org/reset?t={token}',
  expiresAt: '2026-01-02T03:04:05.000Z',
})
const mail = { id: 'Zm9vYmFyYmF6cXV4Zm9vYg', userId: 42, to: 'ege@example.org', ...content }

describe('A reset mail', () => {
  it('names the user, holds the token on a line of its own and the link, and says when it ends', () => {
    expect(content.text).to.include('Hello हिन्दी_<b>,')
    expect(content.text.split('\n')).to.include(token)
    expect(content.text.split('\n')).to.include(`https://example.org/reset?t=${token}`)
    expect(content.text).to.include('2026-01-02 03:04 UTC')
    expect(content.html.split('\n')).to.include(token)
    expect(content.html).to.include('हिन्दी_&lt;b&gt;')
    expect(content.html).to.include(`href="https://example.org/reset?t=${token}"`)
  })

  it('has no link when there is no page for it', () => {
    const plain = resetMail({ username: 'ege', token, pageUrl: null, expiresAt: '2026-01-02T03:04:05.000Z' })
    expect(plain.text).not.to.include('http')
    expect(plain.html).not.to.include('href')
  })

  it('goes to the outbox as one readable file, with the same Message-ID however often', async () => {
    await withTemporaryFolder(async folder => {
      const outbox = outboxTransport(join(folder, 'outbox'), 'Roster <noreply@roster.example>')
      const first = await outbox.send(mail)
      const second = await outbox.send(mail)
      outbox.close()
      expect(first).to.deep.equal({ messageId: '<Zm9vYmFyYmF6cXV4Zm9vYg@roster.example>' })
      expect(second).to.deep.equal(first)
      const files = await readdir(join(folder, 'outbox'))
      expect(files).to.deep.equal(['42-Zm9vYmFyYmF6cXV4Zm9vYg.eml'])
      const file = join(folder, 'outbox', '42-Zm9vYmFyYmF6cXV4Zm9vYg.eml')
      const eml = await readFile(file, 'utf8')
      expect(eml.split('\n')).to.include(token)
      expect(eml).to.include('To: ege@example.org').and.to.include(`Message-ID: ${first.messageId}`)
      expect((await stat(file)).mode & 0o777).to.equal(0o600)
    })
  })

  it('is forgotten with the others of its user, drafts that were left behind too', async () => {
    await withTemporaryFolder(async folder => {
      const outbox = outboxTransport(join(folder, 'outbox'), 'Roster <noreply@roster.example>')
      await outbox.forget(42)
      await outbox.send(mail)
      for (const userId of [4, 142, 420]) await outbox.send({ ...mail, userId })
      await writeFile(join(folder, 'outbox', '.42-Zm9v.eml.123'), 'a draft')
      await outbox.forget(42)
      const left = (await readdir(join(folder, 'outbox'))).map(name => name.split('-')[0])
      expect(left).to.have.members(['4', '142', '420'])
      outbox.close()
    })
  })

  it('goes to an SMTP server as plain text and HTML, to the address as it is', async () => {
    const server = await startSmtpServer()
    const transport = smtpTransport(server.url, 'Roster <noreply@roster.example>')
    try {
      await transport.send({ ...mail, to: '"a,b"@example.org' })
      const [received] = server.received
      expect(received?.to).to.deep.equal(['"a,b"@example.org'])
      expect(received?.content).to.include('multipart/alternative')
      expect(received?.content.split('\r\n')).to.include(token)
    } finally {
      transport.close()
      await server.stop()
    }
  })

  it('fails when the SMTP server refuses it', async () => {
    const server = await startSmtpServer()
    server.refuse(() => true)
    const transport = smtpTransport(server.url, 'roster@localhost')
    try {
      const refusal = await transport.send(mail).then(
        () => null,
        (error: unknown) => error,
      )
      expect(refusal).to.be.instanceOf(Error).with.property('responseCode', 451)
    } finally {
      transport.close()
      await server.stop()
    }
  })
})
