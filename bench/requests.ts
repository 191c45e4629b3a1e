import { z } from 'zod'
import { madeUpUser } from '../src/tools/made-up-users.ts'
import type { SeededUser } from '../src/tools/seed.ts'
import { connections, type Requests } from './measuring/http-load.ts'
import { anyOf, inTurn, shareOf } from './measuring/random.ts'
import { password } from './world/crowd.ts'
import type { BenchSession } from './world/sessions.ts'

const json = { 'Content-Type': 'application/json' }

export function profilePath(username: string): string {
  return `/api/users/${encodeURIComponent(username)}/`
}

/** Any of the paths, again and again. */
export function gets(paths: readonly string[]): Requests {
  return () => ({ next: () => ({ path: anyOf(paths) }) })
}

let edited = 0

/** An edit of one after the other that changes something each time; each must be visible when it is answered. */
export function edits(sessions: readonly BenchSession[]): Requests {
  return connection => {
    const nextSession = inTurn(shareOf(sessions, connection, connections))
    return {
      next() {
        const { username, access } = nextSession()
        return {
          method: 'PUT',
          path: profilePath(username),
          headers: { ...json, Authorization: `Bearer ${access}` },
          body: JSON.stringify({ bio: `I changed my mind for the ${++edited}th time.`, location: 'Utrecht' }),
        }
      },
      answered({ headers }) {
        const pending = Object.entries(headers).find(([name]) => name.toLowerCase() === 'roster-visible')
        if (pending) throw new Error(`expected every edit to be visible, found ${pending.join(': ')}`)
      },
    }
  }
}

const tokenPair = z.object({ access: z.string(), refresh: z.string() })

/** A refresh of one session after the other, each with the token that its last refresh gave. */
export function refreshes(sessions: readonly BenchSession[]): Requests {
  return connection => {
    const nextSession = inTurn(shareOf(sessions, connection, connections))
    let session = nextSession()
    return {
      next() {
        session = nextSession()
        const body = JSON.stringify({ refresh: session.refresh })
        return { method: 'POST', path: '/api/token/refresh/', headers: json, body }
      },
      answered({ body }) {
        session.refresh = tokenPair.parse(JSON.parse(body)).refresh
      },
    }
  }
}

/** Logins of any of the users. */
export function logins(users: readonly SeededUser[]): Requests {
  return () => ({
    next() {
      const body = JSON.stringify({ username: anyOf(users).username, password })
      return { method: 'POST', path: '/api/token/obtain/', headers: json, body }
    },
  })
}

/** Registrations of people whom no seeding of a bench reaches, from another place in the crowd on in each run. */
export function registrations(): Requests {
  let index = 2_000_000 + Math.floor(Math.random() * 3_000_000)
  return () => ({
    next() {
      const { username, email } = madeUpUser(1, index++)
      const body = JSON.stringify({ username, email, password })
      return { method: 'POST', path: '/api/user/create/', headers: json, body }
    },
  })
}
