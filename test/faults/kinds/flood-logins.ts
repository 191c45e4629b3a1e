import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import type { Fault } from '../fault.ts'
import type { Counts } from '../load/ledger.ts'

const perSecond = 5000
const seconds = { quick: 3, whole: 20 }
const connections = 100
const everyMs = 20
const honestMs = 2000
const honestPauseMs = 100
/** Half of what they do wants a hash, and waits: so many that some edit and refresh all the same. */
const honestClients = 48
const answerWithinMs = 30_000

/** Logins with wrong passwords, 5,000 a second, whether they are answered or not, while others use Roster as ever. */
export const floodLogins: Fault['commit'] = async ({ service, underLoad, ledger }, { isQuick }) => {
  const lastsMs = (isQuick ? seconds.quick : seconds.whole) * 1000
  // So that there are honest clients.
  await underLoad(() => pause(honestMs))
  const flood = await openFlood(new URL(service.url()))
  const honest = { ...ledger.counts }
  let sent = 0
  await underLoad(
    async () => {
      const from = performance.now()
      for (let now = from; now - from < lastsMs; now = performance.now()) {
        const due = Math.floor(((now - from) * perSecond) / 1000)
        for (; sent < due; sent++) flood.send(sent)
        await pause(everyMs)
      }
    },
    { pauseMs: honestPauseMs, clients: honestClients },
  )
  for (const end = performance.now() + answerWithinMs; flood.answered() < sent && performance.now() < end; )
    await pause(50)
  flood.close()
  const { found } = flood
  const unanswered = sent - flood.answered()
  if (unanswered > 0) ledger.violations.push(`a flood of ${sent} logins: ${unanswered} got no answer at all`)
  for (const status of found.keys())
    if (!['401', '429', '503'].includes(status))
      ledger.violations.push(`a flood of logins: expected 401, 429 and 503, found ${status}`)
  // A login waits for its turn to be hashed among all those of the flood: in a few seconds none may have it.
  const goOn: readonly (keyof Counts)[] = ['edits', 'refreshes', ...(isQuick ? [] : (['logins'] as const))]
  for (const what of goOn)
    if (ledger.counts[what] === honest[what])
      ledger.violations.push(`a flood of logins: expected ${what} of honest clients to go on, found none`)
  const answers = [...found].map(([status, times]) => `${times} × ${status}`).join(', ')
  return `${sent} logins in ${lastsMs / 1000} s: ${answers}`
}

/** Connections that take any number of requests without waiting for answers, which are only counted. */
async function openFlood({ hostname, port }: URL) {
  const found = new Map<string, number>()
  const sockets: Socket[] = []
  let answered = 0
  for (let n = 0; n < connections; n++) {
    const socket = connect(Number(port), hostname)
    let rest = ''
    socket.on('error', () => {})
    socket.on('data', data => {
      const text = rest + data.toString('latin1')
      for (const [, status = ''] of text.matchAll(/HTTP\/1\.1 (\d{3}) /g)) {
        found.set(status, (found.get(status) ?? 0) + 1)
        answered++
      }
      // A status line may be cut in two.
      rest = text.slice(-12)
    })
    sockets.push(socket)
  }
  return {
    found,
    answered: () => answered,
    send(n: number): void {
      const json = JSON.stringify({ username: `u${n % 500}`, password: randomBytes(9).toString('hex') })
      const head = [
        'POST /api/token/obtain/ HTTP/1.1',
        'Host: flood',
        `X-Forwarded-For: 198.51.100.${n % 4}`,
        'Content-Type: application/json',
        `Content-Length: ${json.length}`,
      ]
      sockets[n % connections]?.write(`${head.join('\r\n')}\r\n\r\n${json}`)
    },
    close() {
      for (const socket of sockets) socket.destroy()
    },
  }
}
