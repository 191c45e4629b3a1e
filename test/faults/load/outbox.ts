import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

export type Outbox = {
  /** The reset token mailed to an address, null if none comes before `giveUp` says so. */
  token(address: string, giveUp: () => boolean): Promise<string | null>
}

const lookEveryMs = 20
const tokenLine = /^\d+\.[\w-]+\.[\w-]+$/m
const receiver = /^To: <?([^<>\s]+)>?$/m

/** Reads reset tokens as people do: out of the mails that lie in the folder. */
export function openOutbox(folder: string): Outbox {
  const tokens = new Map<string, string>()
  const read = new Set<string>()
  let reading: Promise<void> | null = null

  async function readNew(): Promise<void> {
    const names = await readdir(folder).catch(() => [])
    for (const name of names) {
      if (name.startsWith('.') || read.has(name)) continue
      const mail = await readFile(join(folder, name), 'utf8').catch(noneIfGone)
      if (mail === null) continue
      const [address, token] = [receiver.exec(mail)?.[1], tokenLine.exec(mail)?.[0]]
      if (address === undefined) throw new Error(`expected a receiver in ${name}, found\n${mail}`)
      // Mails that only tell something have no token.
      if (token !== undefined) tokens.set(address, token)
      read.add(name)
    }
  }

  return {
    async token(address, giveUp) {
      for (;;) {
        reading ??= readNew().finally(() => {
          reading = null
        })
        await reading
        const found = tokens.get(address)
        if (found !== undefined) return found
        if (giveUp()) return null
        await pause(lookEveryMs)
      }
    },
  }
}

/** A mail of somebody who is erased goes with them. */
function noneIfGone(error: unknown): null {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
  throw error
}
