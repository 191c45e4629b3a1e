import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

/** Something on the way to a server, on loopback, that can go wrong on order. */
export type TcpProxy = {
  port: number
  /** Closes all connections; those to come are refused. */
  cut(): Promise<void>
  /** Closes all connections once. */
  interrupt(): void
  /** Ends one direction of each connection once, by turns the way there and the way back; the other stays open. */
  halfClose(): void
  /** Keeps connections open and takes new ones, but passes nothing on. */
  hang(): void
  /** Passes everything on so much later. */
  delay(milliseconds: number): void
  /** Ends whatever was ordered. */
  mend(): Promise<void>
  close(): Promise<void>
}

export async function startTcpProxy(target: { host: string; port: number }): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  const pairs = new Set<{ inbound: Socket; outbound: Socket }>()
  let hanging = false
  let delayMs = 0
  let server = await listen(0)
  const { port } = addressOf(server)

  function remember(socket: Socket): void {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
  }

  /** Passes on what comes, in order, and its end. */
  function pass(from: Socket, to: Socket): void {
    let delayed = 0
    let before = Promise.resolve()
    const later = (act: () => void) => {
      if (delayMs === 0 && delayed === 0) return act()
      delayed++
      const due = pause(delayMs)
      // Nothing overtakes what came before it, whatever the delay is by now.
      before = before
        .then(() => due)
        .then(() => {
          delayed--
          act()
        })
    }
    from.on('data', data => later(() => to.writable && to.write(data)))
    from.on('end', () => later(() => to.end()))
    from.on('close', () => later(() => to.destroy()))
  }

  function take(inbound: Socket): void {
    const outbound = connect({ ...target, allowHalfOpen: true })
    const pair = { inbound, outbound }
    pairs.add(pair)
    inbound.on('close', () => pairs.delete(pair))
    remember(inbound)
    remember(outbound)
    pass(inbound, outbound)
    pass(outbound, inbound)
    if (hanging) for (const socket of [inbound, outbound]) socket.pause()
  }

  async function listen(on: number): Promise<Server> {
    const started = createServer({ allowHalfOpen: true }, take).listen(on, '127.0.0.1')
    await once(started, 'listening')
    return started
  }

  function interrupt(): void {
    for (const socket of sockets) socket.destroy()
  }

  async function cut(): Promise<void> {
    if (!server.listening) return
    const closed = once(server, 'close')
    server.close()
    interrupt()
    await closed
  }

  return {
    port,
    cut,
    interrupt,
    halfClose() {
      let there = true
      for (const { inbound, outbound } of pairs) {
        if (there) outbound.end()
        else inbound.end()
        there = !there
      }
    },
    hang() {
      hanging = true
      for (const socket of sockets) socket.pause()
    },
    delay(milliseconds) {
      delayMs = milliseconds
    },
    async mend() {
      hanging = false
      delayMs = 0
      for (const socket of sockets) socket.resume()
      if (!server.listening) server = await listen(port)
    },
    close: cut,
  }
}

function addressOf(server: Server): { port: number } {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error(`expected a port, found ${address}`)
  return address
}
