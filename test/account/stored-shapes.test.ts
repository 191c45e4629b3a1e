import { readdirSync, readFileSync } from 'node:fs'
import { expect } from 'chai'
import type { RosterEventType } from '../../src/account/events.ts'
import { currentVersion } from '../../src/account/upcasters.ts'
import { hasShape, readEventsSource, readShapeBook, unbookedShapes } from '../support/stored-shape-book.ts'

const book = readShapeBook()
const versionOf = (type: string) => currentVersion(type as RosterEventType)
const problemsOf = (source: string) => unbookedShapes(source, book, versionOf)

const howTo =
  'a change of shape needs a version of its own: an upcaster, a fixture, and then ' +
  '`node --import tsx test/support/describe-stored-shapes.ts`'

describe('The shape of what is stored', () => {
  it('is what is described for the version that it is stored under', () =>
    expect(problemsOf(readEventsSource()), howTo).to.deep.equal([]))

  it('is described for every version', () => {
    for (const [type, versions] of Object.entries(book)) {
      const expected = Array.from({ length: versionOf(type) }, (_, index) => String(index + 1))
      expect(Object.keys(versions), `${type}: ${howTo}`).to.deep.equal(expected)
    }
  })

  it('is that of every fixture', () => {
    const folder = new URL('../fixtures/events/', import.meta.url)
    for (const name of readdirSync(folder)) {
      const [type = '', version = ''] = name.split(/\.v|\.json/)
      const { data } = JSON.parse(readFileSync(new URL(name, folder), 'utf8'))
      expect(
        hasShape(data, book[type]?.[version] ?? 'described'),
        `${name}: ${JSON.stringify(data)}`,
      ).to.equal(true)
      expect(hasShape({ ...data, another: 1 }, book[type]?.[version] ?? 'described'), name).to.equal(false)
    }
  })

  const edits: [what: string, found: string, text: string, by: string][] = [
    ['a new name for a field', 'EmailLost', 'takenBy: number', 'lostTo: number'],
    ['another type of a field', 'UserErased', 'reservedUntil: string', 'reservedUntil: number'],
    ['one field more', 'MailSent', 'messageId: string }', 'messageId: string; size: number }'],
    ['one field less', 'PasswordReset', 'resetId: string; passwordHash', 'passwordHash'],
    ['a field that may be missing', 'NameClaimed', 'at: number', 'at?: number'],
    ['a value more', 'ClaimAbandoned', "'refused' | 'overtaken'", "'refused' | 'overtaken' | 'tired'"],
    ['a change inside of a field', 'SessionStarted', 'first: number; last', 'first: string; last'],
    ['a change of what several events share', 'UserRegistered', '  bio: string\n', ''],
  ]
  for (const [what, found, text, by] of edits) {
    it(`is found to be another by ${what}`, () => {
      const source = readEventsSource()
      expect(source).to.include(text)
      expect(problemsOf(source.replace(text, by))).to.include(
        `${found} is another than what version ${versionOf(found)} was stored as`,
      )
    })
  }

  it('is found missing for an event that is new, or no more', () => {
    const source = readEventsSource()
    const renamed = source.replace("'AccountEnabled',", "'AccountOpened',")
    expect(renamed).to.not.equal(source)
    expect(
      unbookedShapes(renamed, book, type => (type === 'AccountOpened' ? 1 : versionOf(type))),
    ).to.deep.equal([
      'AccountOpened version 1 is not described',
      'AccountEnabled was stored, and is no event any more',
    ])
  })

  it('is another under a new version, until that is described', () => {
    const source = readEventsSource().replace('takenBy: number', 'lostTo: number')
    const next = (type: string) => (type === 'EmailLost' ? 2 : versionOf(type))
    expect(unbookedShapes(source, book, next)).to.deep.equal(['EmailLost version 2 is not described'])
    const described = { ...book, EmailLost: { ...book.EmailLost, 2: { lostTo: 'number' } } }
    expect(unbookedShapes(source, described, next)).to.deep.equal([])
  })
})
