import { execFileSync } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect } from 'chai'
import { hideCursor, onPseudoTerminal } from '../support/pseudo-terminal.ts'
import { roster } from '../support/run-roster.ts'

type Case = {
  /** A data directory of its own, else the one that all share. */
  data?: string
  /** `given`: a file that the tool reads, if it reads one. */
  args(given: string): string[]
  /** What is read: a pipe while the tool is to be stopped, since it would be read at once. */
  reads?: string
  /** What is seen once the tool is at work. */
  sign?: string
  says: RegExp
  /** What it says to do then; the same command if left out. */
  next?(said: RegExpExecArray): string[]
}

const users = 1000
/** So large that it is not copied at once. */
const largeBytes = 64 * 1024 * 1024
const [ctrlC, echoOfCtrlC] = ['\u0003', '^C']

describe('a tool that is stopped with Ctrl-C', () => {
  let folder: string
  const at = (name: string) => join(folder, name)

  const sameAnew = /the same command begins anew/
  const cases: Record<string, Case> = {
    'verify while it reads the log': { args: () => ['verify'], says: sameAnew },
    'verify while it compares': { args: () => ['verify'], sign: 'compare [', says: sameAnew },
    replay: { args: () => ['replay'], says: /what is built stays; .+ and so does the same command/ },
    backup: { args: () => ['backup', at('backup')], says: sameAnew },
    seed: {
      data: 'seeded',
      args: () => ['seed', '--users', '20000'],
      says: /users are registered; go on with (--start-at) (\d+)/,
      next: ([, option = '', index = '']) => ['seed', '--users', '1', option, index],
    },
    'import-users': {
      data: 'imported',
      args: () => ['import-users', at('users.ndjson')],
      says: /\d+ imported, .+; the same command goes on and imports nobody twice/,
    },
    'verify-export': { reads: 'log.ndjson', args: given => ['verify-export', given], says: sameAnew },
    'export --redact': {
      reads: 'log.ndjson',
      args: given => ['export', '--redact', given, '1', '--out', at('copy.ndjson')],
      says: /nothing is kept of the copy; the same command makes it anew/,
    },
  }

  function environmentOf(data = 'data') {
    return { DATA_DIR: at(data), ARGON2_MEMORY_KIB: '64', ARGON2_TIME_COST: '1' }
  }

  async function run(args: readonly string[], data?: string): Promise<void> {
    const { code, stderr } = await roster(environmentOf(data), args)
    expect(code, `${args.join(' ')}: ${stderr}`).to.equal(0)
  }

  /** Types Ctrl-C once the tool is at work, and gives what it reads only then. */
  async function stopped({ data, args, reads, sign = hideCursor }: Case) {
    const pipe = at('pipe')
    if (reads !== undefined) execFileSync('mkfifo', [pipe])
    let [isTyped, isGiven] = [false, false]
    try {
      return await onPseudoTerminal(environmentOf(data), args(pipe), async (seen, type) => {
        if (!isTyped && seen.includes(sign)) {
          isTyped = true
          type(ctrlC)
        }
        if (reads === undefined || isGiven || !seen.includes(echoOfCtrlC)) return
        isGiven = true
        await writeFile(pipe, await readFile(at(reads)))
      })
    } finally {
      await rm(pipe, { force: true })
    }
  }

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'roster-stop-'))
    await run(['seed', '--users', String(users)])
    await run(['replay'])
    await run(['seed', '--users', '3'], 'few')
    await run(['export', '--out', at('log.ndjson')], 'few')
    const db = new Database(at('data/read.db'))
    db.exec(`CREATE TABLE large AS SELECT zeroblob(${largeBytes})`)
    db.close()
    const lines = Array.from(
      { length: users },
      (_, each) => `{"username":"user${each}","password_hash":"!"}\n`,
    )
    await writeFile(at('users.ndjson'), lines.join(''))
  })
  after(() => rm(folder, { recursive: true }))

  for (const [what, each] of Object.entries(cases)) {
    it(`stops, leaves nothing half done, and goes on as it says: ${what}`, async () => {
      const { code, terminal } = await stopped(each)
      expect(code, terminal).to.equal(130)
      const said = each.says.exec(terminal)
      if (!said) throw new Error(`expected ${each.says}, found ${terminal}`)
      expect((await readdir(folder)).filter(name => name.includes('partial'))).to.deep.equal([])
      await run(each.next?.(said) ?? each.args(at(each.reads ?? '')), each.data)
    })
  }
})
