import Database from 'better-sqlite3'
import Koa from 'koa'
import { serve } from './serve.ts'

/** The same bodies as profiles have, each by one select on a primary key. Argument: a file of `bodiesByUsername`. */
const db = new Database(process.argv[2] ?? '', { readonly: true, fileMustExist: true })
const selectBody = db.prepare<[string], string>('SELECT body FROM profiles WHERE username = ?').pluck()
const prefix = '/api/users/'
const app = new Koa()
app.use(context => {
  const body = selectBody.get(decodeURIComponent(context.path.slice(prefix.length, -1)))
  if (body === undefined) return
  context.type = 'application/json'
  context.body = body
})
serve(app)
