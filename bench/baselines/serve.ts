import type Koa from 'koa'

/** Listens on a free port of the loopback interface, and tells the bench where. */
export function serve(app: Koa): void {
  const server = app.listen(0, '127.0.0.1', () => {
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('expected an IP address')
    process.send?.({ url: `http://127.0.0.1:${address.port}` })
  })
  process.on('disconnect', () => process.exit())
}
