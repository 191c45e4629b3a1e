import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/**
 * Hands on the requests of each connection one after the other, every one in a turn of its own, and reads no more of it
 * meanwhile: who sends hundreds without waiting for answers (pipelining, RFC 9112, 9.3.2) keeps nobody else waiting.
 * What still waits when its connection is gone is forgotten.
 */
export function oneAtATime(handle: RequestListener): RequestListener {
  const waiting = new WeakMap<Socket, [IncomingMessage, ServerResponse][]>()

  function begin(req: IncomingMessage, res: ServerResponse): void {
    res.once('close', () => goOn(req.socket))
    handle(req, res)
  }

  function goOn(socket: Socket): void {
    const next = waiting.get(socket)?.shift()
    if (next && !socket.destroyed) {
      setImmediate(() => begin(...next))
      return
    }
    waiting.delete(socket)
    socket.resume()
  }

  return (req, res) => {
    const { socket } = req
    const others = waiting.get(socket)
    if (others) {
      others.push([req, res])
      socket.pause()
    } else {
      waiting.set(socket, [])
      begin(req, res)
    }
  }
}
