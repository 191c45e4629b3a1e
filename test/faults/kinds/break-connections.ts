import { setTimeout as pause } from 'node:timers/promises'
import type { TcpProxy } from '../../support/tcp-proxy.ts'
import type { Fault } from '../fault.ts'

type Break = { name: string; lastsMs: number; begin(proxy: TcpProxy): unknown }

const breaks: readonly Break[] = [
  { name: 'interrupted', lastsMs: 500, begin: proxy => proxy.interrupt() },
  { name: 'half-closed', lastsMs: 1500, begin: proxy => proxy.halfClose() },
  { name: 'delayed by 300 ms', lastsMs: 3000, begin: proxy => proxy.delay(300) },
  { name: 'refused', lastsMs: 3000, begin: proxy => proxy.cut() },
  // Longer than the deadline of commands, and than leases.
  { name: 'silent', lastsMs: 7000, begin: proxy => proxy.hang() },
]
const apartMs = 1000

/** Breaks the connections to the stores, one kind after the other, to both together or to one. */
export const breakConnections: Fault['commit'] = async ({ underLoad, proxies }, { isQuick }) => {
  if (proxies.length === 0) throw new Error('expected proxies on the way to the stores, found none')
  const targets = isQuick ? [proxies] : [proxies, ...proxies.map(proxy => [proxy])]
  await underLoad(async () => {
    for (const target of targets) {
      for (const { begin, lastsMs } of breaks) {
        await pause(apartMs)
        for (const proxy of target) await begin(proxy)
        await pause(isQuick ? Math.min(lastsMs, 2000) : lastsMs)
        for (const proxy of target) await proxy.mend()
      }
    }
    await pause(apartMs)
  })
  const which = targets.length > 1 ? `all ${proxies.length} stores, then each` : `${proxies.length} stores`
  return `connections to ${which}: ${breaks.map(({ name }) => name).join(', ')}`
}
