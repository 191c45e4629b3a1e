import type { Case } from '../bench.ts'
import { append } from '../cases/append.ts'
import { editProfile } from '../cases/edit-profile.ts'
import { loginAndRegister } from '../cases/login-and-register.ts'
import { memory } from '../cases/memory.ts'
import { rebuild } from '../cases/rebuild.ts'
import { refresh } from '../cases/refresh.ts'
import { search } from '../cases/search.ts'
import { viewProfile } from '../cases/view-profile.ts'

/** The user API on one machine with nothing else installed. Memory is looked at after the searches. */
export const embedded: readonly Case[] = [
  append,
  viewProfile,
  editProfile,
  loginAndRegister,
  refresh,
  search,
  memory,
  rebuild,
]
