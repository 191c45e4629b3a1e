import { MongoClient } from 'mongodb'
import { z } from 'zod'
import type { KoaSide } from '../baselines/koa.ts'
import { startChild } from '../measuring/child.ts'
import { httpSide, type Requests } from '../measuring/http-load.ts'

const listening = z.object({ url: z.string() })
const collection = 'bare-profiles'

/** Koa and one `findOne` in a process of its own, over `bodies` by username. */
export async function koaFindOne(
  mongodbUrl: string,
  bodies: ReadonlyMap<string, string>,
  requests: Requests,
): Promise<KoaSide> {
  const client = await new MongoClient(mongodbUrl).connect()
  const profiles = client.db().collection(collection)
  await profiles.createIndex({ username: 1 }, { unique: true })
  const documents = [...bodies].map(([username, body]) => ({ username, body }))
  for (let at = 0; at < documents.length; at += 500) await profiles.insertMany(documents.slice(at, at + 500))
  await client.close()
  const module = new URL('../baselines/koa-find-one.ts', import.meta.url)
  const child = await startChild(module, { args: [mongodbUrl, collection] })
  const { url } = listening.parse(child.ready)
  return { ...httpSide('Koa + one findOne', url, requests), stop: () => child.stop() }
}
