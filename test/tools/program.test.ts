import { join } from 'node:path'
import { expect } from 'chai'
import { roster } from '../support/run-roster.ts'
import { withTemporaryFolder } from '../support/temporary-folder.ts'

async function subcommands(): Promise<string[]> {
  const { stdout } = await roster({}, ['--help'])
  const [, list = ''] = stdout.split('Commands:')
  return [...list.matchAll(/^ {2}([a-z-]+)/gm)].map(([, name = '']) => name).filter(name => name !== 'help')
}

describe('the roster command', () => {
  it('explains every subcommand, with an example and --json', async () => {
    const names = await subcommands()
    expect(names).to.include.members([
      'show',
      'verify',
      'replay',
      'parked',
      'export',
      'import',
      'backup',
      'seed',
    ])
    for (const name of names.filter(name => name !== 'keys' && name !== 'user')) {
      const { code, stdout } = await roster({}, [name, '--help'])
      expect(code).to.equal(0)
      expect(stdout, name).to.match(/--json/)
      expect(stdout, name).to.match(/Example:\n {2}\$ .*npx roster/)
    }
  })

  it('says what is wrong about how it was used, with code 2', async () => {
    for (const args of [
      [],
      ['nonsense'],
      ['export', '--nonsense'],
      ['import'],
      ['seed', '--users', 'many'],
    ]) {
      const run = await roster({}, args)
      expect(run.code, args.join(' ')).to.equal(2)
      expect(run.stderr).to.not.equal('')
    }
    expect(await roster({ PORT: 'x' }, ['export'])).to.deep.include({ code: 2, stdout: '' })
  })

  it('seeds made-up users, and others the next time', () =>
    withTemporaryFolder(async folder => {
      const environment = { DATA_DIR: join(folder, 'data'), ARGON2_MEMORY_KIB: '64' }
      const first = await roster(environment, ['seed', '--json', '--users', '7'])
      expect(first.code, first.stderr).to.equal(0)
      const { next } = JSON.parse(first.stdout)
      const second = await roster(environment, ['seed', '--users', '3', '--start-at', String(next)])
      expect(second.stdout).to.match(/^registered 3 users who log in with "made-up password"/)
      expect(JSON.parse((await roster(environment, ['show', '--json', '10'])).stdout).id).to.be.a('number')
    }))
})
