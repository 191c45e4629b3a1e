import Koa from 'koa'
import { serve } from './serve.ts'

/** The least that an answer of this size costs with Koa: a constant. Argument: how many bytes. */
const body = 'x'.repeat(Number(process.argv[2]))
const app = new Koa()
app.use(context => {
  context.type = 'application/json'
  context.body = body
})
serve(app)
