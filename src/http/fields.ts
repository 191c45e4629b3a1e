import { z } from 'zod'
import type { Sent } from './body.ts'
import { readBody } from './body.ts'
import { invalidFields, Refusal } from './errors.ts'
import type { Exchange, Step } from './exchange.ts'
import {
  type FieldError,
  isOfFirstGroup,
  mayNotBeBlank,
  mayNotBeNull,
  noNull,
  noSurrogate,
  notABoolean,
  notAString,
  required,
  tooLong,
} from './field-errors.ts'
import { pythonStrip } from './python-strip.ts'

type TextRules = {
  /** In code points, after trimming. */
  maximum?: number
  mayBeBlank?: boolean
  /** The message for a text that is wrong in another way, null if it is right. */
  rule?: (text: string) => string | null
}

/** A text as Django REST's CharField reads it: numbers count as text, white space at the ends does not. */
export const text = (rules: TextRules = {}) =>
  z.preprocess(
    value => readText(value, pythonStrip),
    textOf(rules, value => value === ''),
  )

/** A text that is taken as it is; only white space is blank. */
export const password = () =>
  z.preprocess(
    value => readText(value, asItIs),
    textOf({}, value => pythonStrip(value) === ''),
  )

/** A boolean as Django REST's BooleanField reads it. */
export const boolean = () =>
  z.preprocess(
    readBoolean,
    z.boolean({ error: issue => (issue.input === null ? mayNotBeNull : notABoolean) }),
  )

function textOf({ maximum, mayBeBlank = false, rule }: TextRules, isBlank: (text: string) => boolean) {
  const checked = z.string({ error: wrongType }).superRefine((value, context) => {
    const problem = (message: string) => context.addIssue({ code: 'custom', message })
    if (isBlank(value)) {
      if (!mayBeBlank) problem(mayNotBeBlank)
      return
    }
    if (value.includes('\0')) problem(noNull)
    const unpaired = /[\ud800-\udfff]/u.exec(value)
    if (unpaired) problem(noSurrogate(value.charCodeAt(unpaired.index)))
    if (maximum !== undefined && hasMoreCodePoints(value, maximum)) problem(tooLong(maximum))
    const broken = rule?.(value) ?? null
    if (broken !== null) problem(broken)
  })
  const length = maximum === undefined ? {} : { maxLength: maximum }
  return checked.meta(mayBeBlank ? length : { minLength: 1, ...length })
}

function wrongType({ input }: { input?: unknown }): string {
  if (input === undefined) return required
  return input === null ? mayNotBeNull : notAString
}

function readText(value: unknown, trim: (text: string) => string): unknown {
  if (typeof value === 'string') return trim(value)
  return typeof value === 'number' ? String(value) : value
}

function asItIs(text: string): string {
  return text
}

/** Whether a text has more code points than `count`, which is at most its number of code units. */
export function hasMoreCodePoints(value: string, count: number): boolean {
  return value.length > count && [...value].length > count
}

const trueWords = new Set(['t', 'y', 'yes', 'true', 'on', '1'])
const falseWords = new Set(['f', 'n', 'no', 'false', 'off', '0'])

function readBoolean(value: unknown): unknown {
  if (typeof value !== 'string' && typeof value !== 'number') return value
  const word = String(value).toLowerCase()
  if (trueWords.has(word)) return true
  return falseWords.has(word) ? false : value
}

/** `errors` are in the order of the schema's fields; there is at least one. */
export type Inspection<Fields> = { ok: true; fields: Fields } | { ok: false; errors: FieldError[] }

/** Checks what was sent against a schema; fields that it does not know are ignored. */
export function inspect<Fields>(schema: z.ZodType<Fields>, sent: Sent): Inspection<Fields> {
  const parsed = schema.safeParse(sent)
  if (parsed.success) return { ok: true, fields: parsed.data }
  const errors = parsed.error.issues.map(({ path, message }) => ({ field: String(path[0]), message }))
  return { ok: false, errors }
}

/** Refuses with what is wrong about presence and type or, if nothing is, with all the rest. */
export function refuseFields(errors: readonly FieldError[], order: readonly string[] = []): never {
  const first = errors.filter(isOfFirstGroup)
  throw new Refusal(invalidFields(first.length > 0 ? first : errors, order))
}

/** The step that reads a body and takes it only if nothing is wrong with its fields. */
export function parse<Fields>(schema: z.ZodType<Fields>): Step<Exchange, { fields: Fields }> {
  return async exchange => {
    const inspection = inspect(schema, await readBody(exchange))
    return inspection.ok ? { fields: inspection.fields } : refuseFields(inspection.errors)
  }
}

/** The step that reads a body and leaves it to the next one to judge what was found wrong with its fields. */
export function read<Fields>(
  schema: z.ZodType<Fields>,
): Step<Exchange, { sent: Sent; inspection: Inspection<Fields> }> {
  return async exchange => {
    const sent = await readBody(exchange)
    return { sent, inspection: inspect(schema, sent) }
  }
}
