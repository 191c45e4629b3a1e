import { expect } from 'chai'
import { goodPassword } from '../http/suite/people.ts'
import { type HttpClient, textIn } from './http-client.ts'

/** In every text that the user gives, so that any copy of any of them is found. */
export const planted = 'xq7vplanted'
const username = `ege_${planted}`
const email = `${planted}@example.org`
const profile = Object.fromEntries(
  ['first_name', 'last_name', 'bio', 'fav_sport_1', 'fav_sport_2', 'fav_sport_3', 'location', 'avatar'].map(
    field => [field, `${field} ${planted} ${'-'.repeat(field === 'bio' ? 1800 : 20)}`],
  ),
)

/** What a service logs in the end. */
export const doneErasing = 'nothing is left of a user who was erased'

/** `emails` are sent a mail each. */
export type PlantedUser = { emails: string[]; erase(client: HttpClient): Promise<void> }

/** A user who does all that leaves traces, partly through a second process. */
export async function livePlanted(client: HttpClient, other: HttpClient): Promise<PlantedUser> {
  const user = { username, email, password: goodPassword, ...profile }
  expect((await client.post('/api/user/create/', user)).status).to.equal(201)
  await client.post('/api/password/reset/', { email })
  const device = { 'User-Agent': `Browser ${planted}` }
  const login = { username, password: goodPassword }
  const session = await other.post('/api/token/obtain/', login, device)
  const refresh = { refresh: textIn(session, 'refresh') }
  await client.post('/api/token/refresh/', refresh, device)
  const revoked = await client.post('/api/token/obtain/', login, device)
  await other.post('/api/token/revoke/', { refresh: textIn(revoked, 'refresh') })
  const auth = { Authorization: `Bearer ${textIn(session, 'access')}` }
  const path = `/api/users/${username}/`
  await other.put(path, { bio: `another ${planted}`, location: `L ${planted}` }, auth)
  await client.post('/api/email/change/', { password: goodPassword, email: `b.${email}` }, auth)
  return {
    emails: [email, `b.${email}`],
    async erase(through) {
      const asked = await through.ask('DELETE', path, { json: { password: goodPassword }, headers: auth })
      expect(asked.status, asked.text).to.equal(204)
    },
  }
}
