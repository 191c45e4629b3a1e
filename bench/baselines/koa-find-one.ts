import Koa from 'koa'
import { MongoClient } from 'mongodb'
import { serve } from './serve.ts'

/** The same bodies as profiles have, each by one `findOne` on a unique index. Arguments: database URL, collection. */
const [url = '', collection = ''] = process.argv.slice(2)
const client = await new MongoClient(url).connect()
const profiles = client.db().collection<{ username: string; body: string }>(collection)
const prefix = '/api/users/'
const app = new Koa()
app.use(async context => {
  const username = decodeURIComponent(context.path.slice(prefix.length, -1))
  const found = await profiles.findOne({ username }, { projection: { _id: 0, body: 1 } })
  if (found === null) return
  context.type = 'application/json'
  context.body = found.body
})
serve(app)
