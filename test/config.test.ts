import { expect } from 'chai'
import { InvalidConfig, readConfig } from '../src/config.ts'

const message = (variables: Record<string, string>): string => {
  try {
    readConfig(variables)
  } catch (error) {
    if (error instanceof InvalidConfig) return error.message
    throw error
  }
  return 'accepted'
}

describe('The configuration', () => {
  it('has a default for everything', () => {
    expect(readConfig({})).to.deep.include({
      port: 8000,
      host: '127.0.0.1',
      ops: { port: 8001, host: '127.0.0.1', set: false },
      roles: ['api', 'projector', 'mailer'],
      dataDir: './data',
      eventstoreUrl: null,
      jwtSecret: null,
      accessTokenTtlSeconds: 300,
      refreshTokenTtlSeconds: 1_209_600,
      argon2: { memoryKiB: 19_456, timeCost: 2, parallelism: 1 },
      hideUnknownEmails: false,
      corsOrigins: ['*'],
    })
  })

  it('takes an empty variable as unset', () => {
    expect(readConfig({ PORT: '', JWT_SECRET: '' })).to.deep.include({ port: 8000, jwtSecret: null })
  })

  it('reads roles and origins as lists', () => {
    const { roles, corsOrigins } = readConfig({
      ROLES: 'projector, mailer',
      CORS_ORIGINS: 'https://a.example,https://b.example',
    })
    expect(roles).to.deep.equal(['projector', 'mailer'])
    expect(corsOrigins).to.deep.equal(['https://a.example', 'https://b.example'])
  })

  it('names all that is wrong in one message, with both sides', () => {
    expect(message({ PORT: '70000', ROLES: 'api,cook', COMMAND_TIMEOUT_MS: '5s' }))
      .to.include('PORT: expected 0 to 65535, found "70000"')
      .and.to.include('ROLES: expected some of api, projector, mailer, found "api,cook"')
      .and.to.include('COMMAND_TIMEOUT_MS: expected a whole number, found "5s"')
  })

  it('does not repeat a secret', () => {
    expect(message({ JWT_SECRET: 'hunter2', SMTP_URL: 'me:hunter2@mail' }))
      .to.include('JWT_SECRET: expected at least 32 bytes')
      .and.not.to.include('hunter2')
  })

  it('wants a shared secret beyond one machine', () => {
    expect(message({ EVENTSTORE_URL: 'esdb://localhost:2113' })).to.include('JWT_SECRET: expected')
    expect(message({ EVENTSTORE_URL: 'esdb://localhost:2113', JWT_SECRET: 'x'.repeat(32) })).to.equal(
      'accepted',
    )
  })
})
