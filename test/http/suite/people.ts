import { randomBytes } from 'node:crypto'
import type { OutgoingHttpHeaders } from 'node:http'
import { expect } from 'chai'
import { outcome, textIn } from '../../support/http-client.ts'
import type { TestServer } from './test-server.ts'

export const goodPassword = 'correct horse 42'

/** A username that nobody has. */
export function newName(prefix = 'user'): string {
  return `${prefix}_${randomBytes(6).toString('hex')}`
}

export type Person = {
  id: number
  username: string
  email: string
  path: string
  access: string
  refresh: string
  /** The header by which this person is known. */
  auth: OutgoingHttpHeaders
}

/** Registers somebody, who has an address, and logs in; `headers` go with both. */
export async function newPerson(
  { client }: TestServer,
  fields: Record<string, unknown> = {},
  headers: OutgoingHttpHeaders = {},
): Promise<Person> {
  const username = newName()
  const email = `${username}@example.org`
  const user = { username, email, password: goodPassword, ...fields }
  const registered = await client.post('/api/user/create/', user, headers)
  expect(outcome(registered)).to.deep.equal({
    status: 201,
    body: { email: user.email, username: user.username },
  })
  const credentials = { username: user.username, password: user.password }
  const login = await client.post('/api/token/obtain/', credentials, headers)
  expect(login.status, login.text).to.equal(200)
  const access = textIn(login, 'access')
  const path = `/api/users/${encodeURIComponent(user.username)}/`
  const claims = claimsIn(access)
  return {
    id: Number(claims.user_id),
    username: user.username,
    email: user.email,
    path,
    access,
    refresh: textIn(login, 'refresh'),
    auth: { Authorization: `Bearer ${access}` },
  }
}

/** What a token says, unverified. */
export function claimsIn(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
}
