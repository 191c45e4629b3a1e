import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'chai'

const bin = fileURLToPath(new URL('../../bin', import.meta.url))

/** An ES module, as the launchers start one: puts the pool to work, then counts the threads of its process. */
const countThreads = `
  import { readdirSync } from 'node:fs'
  import { stat } from 'node:fs/promises'
  await stat('.')
  console.log(readdirSync('/proc/self/task').length)
`

describe('the launchers', function () {
  this.timeout(20_000)
  let folder: string

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'roster-launch-'))
    await cp(bin, join(folder, 'bin'), { recursive: true })
    await mkdir(join(folder, 'dist', 'src'), { recursive: true })
    await writeFile(join(folder, 'package.json'), '{"type":"module"}')
    for (const name of ['main.js', 'cli.js']) await writeFile(join(folder, 'dist', 'src', name), countThreads)
  })

  after(() => rm(folder, { recursive: true }))

  async function threadsOf(launcher: string, byHand: string | undefined): Promise<number> {
    const { UV_THREADPOOL_SIZE: _, ...env } = process.env
    const { stdout } = await promisify(execFile)(process.execPath, [join(folder, 'bin', launcher)], {
      env: byHand === undefined ? env : { ...env, UV_THREADPOOL_SIZE: byHand },
    })
    return Number(stdout)
  }

  for (const launcher of ['start.cjs', 'roster.cjs']) {
    it(`${launcher} gives the pool a thread for each core's hash and two more, before it starts`, async () => {
      const otherThreads = (await threadsOf(launcher, '1')) - 1
      expect((await threadsOf(launcher, undefined)) - otherThreads).to.equal(availableParallelism() + 2)
    })

    it(`${launcher} leaves a size that was set by hand`, async () => {
      const otherThreads = (await threadsOf(launcher, '1')) - 1
      expect((await threadsOf(launcher, '9')) - otherThreads).to.equal(9)
    })
  }
})
