import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

/** Something on the way to a server, on loopback, that can go wrong on order. */
export type TcpProxy = {
  port: number
  /** Closes all connections; those to come are refused. */
  cut(): Promise<void>
  /** Closes all connections once. */
  interrupt(): void
  /** Keeps connections open and takes new ones, but passes nothing on. */
  hang(): void
  /** Ends whatever was ordered. */
  mend(): Promise<void>
  close(): Promise<void>
}

export async function startTcpProxy(target: { host: string; port: number }): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  let hanging = false
  let server = await listen(0)
  const { port } = addressOf(server)

  function remember(socket: Socket): void {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
  }

  function take(inbound: Socket): void {
    const outbound = connect(target)
    remember(inbound)
    remember(outbound)
    inbound.on('data', data => outbound.write(data))
    outbound.on('data', data => inbound.write(data))
    inbound.on('close', () => outbound.destroy())
    outbound.on('close', () => inbound.destroy())
    if (hanging) for (const socket of [inbound, outbound]) socket.pause()
  }

  async function listen(on: number): Promise<Server> {
    const started = createServer(take).listen(on, '127.0.0.1')
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
    hang() {
      hanging = true
      for (const socket of sockets) socket.pause()
    },
    async mend() {
      hanging = false
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
