/**
 * Looks a connection string over before the client does, because the client prints the whole of it, password
 * included, when it meets an option that it does not know, and silently misreads some passwords.
 */

export type ConnectionUrl = {
  url: string
  /** The hosts, fit for logs and errors. */
  address: string
  /** What the client will not do although the string asks for it. */
  warnings: string[]
}

const options = [
  'connectionname',
  'defaultdeadline',
  'discoveryinterval',
  'gossiptimeout',
  'keepaliveinterval',
  'keepalivetimeout',
  'maxdiscoverattempts',
  'nodepreference',
  'tls',
  'tlscafile',
  'usercertfile',
  'userkeyfile',
]

/** Throws an Error that names what is wrong with the connection string, and never a part of it that is secret. */
export function readConnectionUrl(text: string): ConnectionUrl {
  const url = text.trim()
  const [, scheme, credentials, hosts, query = ''] =
    /^(esdb|esdb\+discover):\/\/(?:([^/?]*)@)?([^@/?]+)\/*(?:\?(.*))?$/.exec(url) ?? []
  if (!scheme || !hosts) {
    throw new Error(
      'expected esdb://[user:password@]host:port[,…][?options], with the password percent-encoded',
    )
  }
  if (credentials !== undefined && !/^[^:@]+:[^:@]+$/.test(credentials)) {
    throw new Error('expected user:password before the @, any : or @ in them percent-encoded')
  }
  if (!hosts.split(',').every(host => /^[\w.-]+(:\d+)?$/.test(host))) {
    throw new Error('expected host names with ports, separated by commas')
  }
  // The client takes what is before the first @ for user and password, wherever it stands.
  if (query.includes('@')) throw new Error('expected any @ in the options percent-encoded, as %40')
  const given = new Map(query === '' ? [] : query.split('&').map(parseOption))
  const unknown = [...given.keys()].filter(name => !options.includes(name))
  if (unknown.length > 0) {
    throw new Error(`expected the options ${options.join(', ')}, found ${unknown.join(', ')}`)
  }
  const warnings =
    credentials !== undefined && given.get('tls') === 'false'
      ? ['user and password are not sent, as tls is false']
      : []
  return { url, address: hosts, warnings }
}

function parseOption(pair: string): [name: string, value: string] {
  const [name = '', value = ''] = pair.split('=', 2)
  return [name.trim().toLowerCase().replace(/[_-]/g, ''), value]
}
