// The files that take longest go first: begun last, they would run on beside nothing.
const longest = [
  'secrets',
  'replay',
  'embedded-routes',
  'embedded-behaviour',
  'stop',
  'unreachable',
  'verify',
]

module.exports = {
  ...require('./.mocharc.json'),
  spec: [...longest.map(name => `test/**/${name}.test.ts`), `test/**/!(${longest.join('|')}).test.ts`],
}
