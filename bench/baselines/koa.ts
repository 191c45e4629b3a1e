import { join } from 'node:path'
import Database from 'better-sqlite3'
import { z } from 'zod'
import { startChild } from '../measuring/child.ts'
import type { Side } from '../measuring/comparison.ts'
import { httpSide, meanAnswerBytes, type Requests } from '../measuring/http-load.ts'

export type KoaSide = Side & { stop(): Promise<void> }

const listening = z.object({ url: z.string() })

/** A bare Koa route in a process of its own that answers with as many bytes as `url` does to the same requests. */
export async function koaConstant(url: string, requests: Requests): Promise<KoaSide> {
  const bytes = await meanAnswerBytes(url, requests)
  return koa('bare Koa', new URL('koa-constant.ts', import.meta.url), String(bytes), requests)
}

/** Koa and one select on a primary key in a process of its own, over `bodies` by username. */
export function koaSelect(
  folder: string,
  bodies: Iterable<[string, string]>,
  requests: Requests,
): Promise<KoaSide> {
  const file = join(folder, 'koa-select.db')
  writeBodies(file, bodies)
  return koa('Koa + one select', new URL('koa-select.ts', import.meta.url), file, requests)
}

async function koa(name: string, module: URL, argument: string, requests: Requests): Promise<KoaSide> {
  const child = await startChild(module, { args: [argument] })
  const { url } = listening.parse(child.ready)
  // Whoever hears answers hears Roster's: a source must not believe these.
  const deaf: Requests = connection => {
    const source = requests(connection)
    return { next: () => source.next() }
  }
  return { ...httpSide(name, url, deaf), stop: () => child.stop() }
}

function writeBodies(file: string, bodies: Iterable<[string, string]>): void {
  const db = new Database(file)
  db.pragma('journal_mode = WAL')
  db.exec('CREATE TABLE profiles (username TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID')
  const insert = db.prepare('INSERT INTO profiles VALUES (?, ?)')
  db.transaction(() => {
    for (const body of bodies) insert.run(body)
  })()
  db.close()
}
