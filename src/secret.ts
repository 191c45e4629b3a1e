import { randomBytes } from 'node:crypto'
import { link, mkdir, open, readFile, unlink } from 'node:fs/promises'
import { join } from 'node:path'

const secretBytes = 48

/** Where it is kept. */
export const secretFile = (dataDir: string): string => join(dataDir, 'jwt-secret')

/**
 * The secret in `<dataDir>/jwt-secret` (mode 0600), made at the first start: durable before it is used, and one and
 * the same for all who start at once.
 */
export async function generatedSecret(dataDir: string): Promise<string> {
  await mkdir(dataDir, { recursive: true })
  const file = secretFile(dataDir)
  return (await readSecret(file)) ?? (await makeSecret(dataDir, file))
}

async function readSecret(file: string): Promise<string | null> {
  try {
    const secret = (await readFile(file, 'utf8')).trim()
    if (Buffer.byteLength(secret) >= 32) return secret
    throw new Error(`expected at least 32 bytes in ${file}, found ${Buffer.byteLength(secret)}`)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

/** Linking a finished file into place is atomic and exclusive: whoever comes second uses the first one's. */
async function makeSecret(dataDir: string, file: string): Promise<string> {
  const draft = join(dataDir, `.jwt-secret-${randomBytes(8).toString('hex')}`)
  const handle = await open(draft, 'wx', 0o600)
  try {
    await handle.writeFile(`${randomBytes(secretBytes).toString('base64url')}\n`)
    await handle.sync()
  } finally {
    await handle.close()
  }
  try {
    await link(draft, file)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  } finally {
    await unlink(draft)
  }
  const folder = await open(dataDir, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
  const secret = await readSecret(file)
  if (secret === null) throw new Error(`expected the secret just written in ${file}, found no file`)
  return secret
}
