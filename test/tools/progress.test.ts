import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { hideCursor, onPseudoTerminal, showCursor } from '../support/pseudo-terminal.ts'
import { type Run, rosterOnTerminal } from '../support/run-roster.ts'
import { register, withLogIn } from '../support/sample-log.ts'
import { withTemporaryFolder } from '../support/temporary-folder.ts'

const count = (text: string, sign: string) => text.split(sign).length - 1

/** A folder with a log of three users in `data`, and an export of it. */
function withLog(use: (at: (name: string) => string) => Promise<void>): Promise<void> {
  return withTemporaryFolder(async folder => {
    const at = (name: string) => join(folder, name)
    await withLogIn(at('data'), store => register(store, 3))
    await rosterOnTerminal({ DATA_DIR: at('data') }, ['export', '--out', at('log.ndjson')])
    await use(at)
  })
}

/** A bar that is not stopped hides the cursor for good, and its timer keeps the process alive. */
function expectNoBarLeft({ stderr }: Run, what: string): void {
  expect(count(stderr, showCursor), what).to.equal(count(stderr, hideCursor))
}

describe('the progress of a tool on a terminal', () => {
  it('is a bar that is gone at the end', () =>
    withLog(async at => {
      const environment = { DATA_DIR: at('data'), ARGON2_MEMORY_KIB: '64' }
      for (const args of [
        ['export', '--out', at('again.ndjson')],
        ['export', '--redact', at('log.ndjson'), '1', '--out', at('copy.ndjson')],
        ['verify-export', at('log.ndjson')],
        ['import', at('log.ndjson')],
        ['seed', '--users', '2', '--start-at', '3'],
        ['backup', at('backup')],
        ['replay'],
        ['verify'],
      ]) {
        const run = await rosterOnTerminal(environment, args)
        expect(run.code, run.stderr).to.equal(0)
        expect(run.stderr, args[0]).to.match(/\[[^\]]+\] \d+% \| .+\/s \| /)
        expectNoBarLeft(run, args.join(' '))
      }
    }))

  it('is gone too where the tool fails or is stopped', () =>
    withLog(async at => {
      const environment = { DATA_DIR: at('data') }
      await mkdir(at('folder'))
      await writeFile(at('broken.ndjson'), 'no export\n')
      await writeFile(at('users.ndjson'), '{"username":"ege","password_hash":"!"}\n')
      const wrong = { ...environment, PORT: 'x' }
      for (const [variables, ...args] of [
        [environment, 'export', '--out', at('no/such/folder')],
        [environment, 'export', '--out', at('folder')],
        [environment, 'import-users', at('folder')],
        [wrong, 'import-users', at('users.ndjson')],
        [environment, 'verify-export', at('folder')],
        [environment, 'import', at('folder')],
        [environment, 'export', '--redact', at('folder'), '1'],
      ] as const) {
        const run = await rosterOnTerminal(variables, args)
        expect(run.code, `${args.join(' ')}: ${run.stderr}`).to.equal(2)
        expectNoBarLeft(run, args.join(' '))
      }
      const stopped = new AbortController()
      stopped.abort()
      for (const args of [
        ['export', '--out', at('again.ndjson')],
        ['verify-export', at('log.ndjson')],
        ['import-users', at('users.ndjson')],
        ['seed', '--users', '2'],
        ['backup', at('backup')],
        ['verify'],
      ]) {
        const run = await rosterOnTerminal(environment, args, stopped)
        expect(run.code, `${args.join(' ')}: ${run.stderr}`).to.equal(130)
        expectNoBarLeft(run, args.join(' '))
      }
      const broken = await rosterOnTerminal(environment, ['import', at('broken.ndjson')])
      expect(broken.code).to.equal(1)
      expectNoBarLeft(broken, 'import of a broken export')
    }))

  it('ends with the process on a real terminal, whether it fails or not', () =>
    withLog(async at => {
      for (const [out, code] of [
        ['fine.ndjson', 0],
        ['no/such/folder', 2],
      ] as const) {
        const run = await onPseudoTerminal({ DATA_DIR: at('data') }, ['export', '--out', at(out)])
        expect(run, run.terminal).to.include({ code })
        expect(count(run.terminal, showCursor)).to.equal(count(run.terminal, hideCursor))
        expect(run.terminal.includes(hideCursor)).to.equal(code === 0)
      }
    }))
})
