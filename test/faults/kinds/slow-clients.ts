import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import type { Fault } from '../fault.ts'

const clients = { quick: 1000, whole: 10_000 }
/** For the service and for us: what is open besides. */
const otherHandles = 500
const openAtOnce = 200
const byteEveryMs = 2000
const quickMs = 3000
/** Where more come at once than wait to be accepted, some try again only after seconds. */
const connectedWithinMs = 40_000
/** The service ends a request that takes more than 30 s; looked at every 5 s. */
const endedWithinMs = 60_000
const heardWithinMs = 2000

/** What each kind of slow client has sent before it begins to dawdle. */
const beginnings = [
  // Its headers never end.
  'POST /api/token/obtain/ HTTP/1.1\r\nHost: slow\r\nX-Slow: ',
  // Its body never ends.
  'POST /api/token/obtain/ HTTP/1.1\r\nHost: slow\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n{',
  // It says nothing at all.
  '',
]

/** Thousands of clients that send a byte now and then, while others use Roster as ever. */
export const besiegeSlowly: Fault['commit'] = async ({ service, underLoad, ledger }, { isQuick }) => {
  const wanted = isQuick ? clients.quick : clients.whole
  const count = Math.min(wanted, handleLimit() - otherHandles)
  const scaled =
    count < wanted ? ` (scaled down from ${wanted}: file handles are limited to ${handleLimit()})` : ''
  if (scaled) console.log(`SCALED: ${count} slow clients${scaled}`)
  const { hostname, port } = new URL(service.url())
  const open = new Set<Socket>()
  let connected = 0
  let refused = 0
  let left = 0
  await underLoad(
    async () => {
      for (let n = 0; n < count; n++) {
        const socket = connect(Number(port), hostname)
        open.add(socket)
        socket.on('error', () => refused++)
        socket.on('close', () => open.delete(socket))
        socket.on('connect', () => {
          connected++
          socket.write(beginnings[n % beginnings.length] ?? '')
        })
        socket.resume()
        if (n % openAtOnce === 0) await pause(1)
      }
      const dawdling = setInterval(() => {
        for (const socket of open) if (socket.bytesWritten > 0 && socket.writable) socket.write('a')
      }, byteEveryMs)
      const comeUntil = performance.now() + connectedWithinMs
      while (connected + refused < count && performance.now() < comeUntil) await pause(50)
      if (isQuick) await pause(quickMs)
      else
        for (const end = performance.now() + endedWithinMs; open.size > 0 && performance.now() < end; )
          await pause(200)
      clearInterval(dawdling)
      // Whom the system let in and then could not hand on hears only now that nobody knows of it.
      for (const socket of open) socket.write('a')
      await pause(heardWithinMs)
      left = open.size
      for (const socket of open) socket.destroy()
    },
    { pauseMs: 100 },
  )
  // Some come too late on a busy machine. Without most of them nothing was besieged.
  if (connected < count / 2)
    ledger.violations.push(`slow clients: expected about ${count} connections, found ${connected}`)
  if (!isQuick && left > 0)
    ledger.violations.push(`slow clients: expected to be rid of all ${count} within 60 s, found ${left}`)
  return `${count} slow clients${scaled}, ${isQuick ? `for ${quickMs / 1000} s` : 'until they were shown out'}, ${refused} broken off`
}

function handleLimit(): number {
  const found = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
  return Number(found ?? 1024)
}
