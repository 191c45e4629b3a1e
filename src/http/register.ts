import { z } from 'zod'
import type { Accounts, NewUser } from '../account/accounts.ts'
import { DomainError } from '../account/domain-error.ts'
import { isValidEmail } from '../account/email-address.ts'
import { isValidUsername } from '../account/names.ts'
import type { Sent } from './body.ts'
import { fieldError } from './errors.ts'
import { type Exchange, json } from './exchange.ts'
import { notAnEmail, notAUsername } from './field-errors.ts'
import { hasMoreCodePoints, type Inspection, inspect, password, refuseFields, text } from './fields.ts'
import type { HideTime } from './hide-time.ts'
import type { NewContext } from './new-context.ts'
import { profileTexts, toProfileFields } from './profile-fields.ts'
import { pendingUnless } from './visible.ts'

const longestUsername = 150
export const longestEmail = 254

export const emailRule = (address: string) => (isValidEmail(address) ? null : notAnEmail)

export const registerBody = z.object({
  username: text({
    maximum: longestUsername,
    rule: name => (hasMoreCodePoints(name, longestUsername) || isValidUsername(name) ? null : notAUsername),
  }),
  email: text({ maximum: longestEmail, mayBeBlank: true, rule: emailRule }).optional(),
  // Its length is the domain's business, like its other rules.
  password: password().meta({ minLength: 8, maxLength: 128 }),
  ...profileTexts,
})

const anyRegisterFields = registerBody.partial()
const fieldOrder = Object.keys(registerBody.shape)

type RegisterFields = z.infer<typeof registerBody>

/** The last step of a registration: tells everything that is wrong with it at once, or registers. */
export function createRegister(accounts: Accounts, newCommand: NewContext, hideTime: HideTime | null) {
  return async (exchange: Exchange & { sent: Sent; inspection: Inspection<RegisterFields> }) => {
    const { sent, inspection } = exchange
    const context = newCommand(exchange)
    if (!inspection.ok) {
      const { errors } = inspection
      const valid = inspect(anyRegisterFields, without(sent, new Set(errors.map(({ field }) => field))))
      const more = valid.ok ? await accounts.registrationProblems(toUser(valid.fields), context) : []
      return refuseFields([...errors, ...more.map(fieldError)], fieldOrder)
    }
    const user = toNewUser(inspection.fields)
    const { value, visible } = await accounts.registerUser(user, context).catch(async (error: unknown) => {
      // It may have waited for another attempt with its key, which looked for an address.
      if (hideTime && error instanceof DomainError) await hideTime(exchange)
      throw error
    })
    const location = `/api/users/${encodeURIComponent(value.username)}/`
    // As it was sent: whether somebody has it already is not told where addresses are hidden.
    const body = { email: user.email, username: value.username }
    if (hideTime) await hideTime(exchange)
    return json(201, body, 'Location', location, ...pendingUnless(visible))
  }
}

function without(sent: Sent, fields: ReadonlySet<string>): Sent {
  return Object.fromEntries(Object.entries(sent).filter(([name]) => !fields.has(name)))
}

type AnyRegisterFields = z.infer<typeof anyRegisterFields>

function toUser(fields: AnyRegisterFields): Partial<NewUser> {
  const { username, email, password } = fields
  return {
    ...(username === undefined ? {} : { username }),
    ...(email === undefined ? {} : { email }),
    ...(password === undefined ? {} : { password }),
    ...toProfileFields(fields),
  }
}

const noProfile = {
  firstName: '',
  lastName: '',
  bio: '',
  favSport1: '',
  favSport2: '',
  favSport3: '',
  location: '',
  avatar: '',
}

function toNewUser(fields: RegisterFields): NewUser {
  const { username, email = '', password } = fields
  return { username, email, password, ...noProfile, ...toProfileFields(fields) }
}
