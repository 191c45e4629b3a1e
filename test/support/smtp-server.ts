import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'

export type ReceivedMail = { to: string[]; content: string }

/** An SMTP server on loopback that keeps what it receives, and can be told to refuse recipients for now (451). */
export async function startSmtpServer() {
  const received: ReceivedMail[] = []
  let refused: (to: string) => boolean = () => false
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS', 'AUTH'],
    logger: false,
    onRcptTo(address, _session, callback) {
      if (!refused(address.address)) return callback()
      callback(Object.assign(new Error('not now'), { responseCode: 451 }))
    },
    onData(stream, session, callback) {
      const chunks: Buffer[] = []
      stream.on('data', chunk => chunks.push(chunk))
      stream.on('end', () => {
        const to = session.envelope.rcptTo.map(({ address }) => address)
        received.push({ to, content: Buffer.concat(chunks).toString('utf8') })
        callback()
      })
    },
  })
  server.on('error', () => {})
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.server.address() as AddressInfo
  return {
    url: `smtp://127.0.0.1:${port}`,
    received,
    refuse(which: (to: string) => boolean) {
      refused = which
    },
    stop: () => new Promise<void>(resolve => server.close(() => resolve())),
  }
}
