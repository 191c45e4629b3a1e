/** A label in Punycode (RFC 3492, section 6.3), without `xn--`. Takes time by the square of the label's length. */
export function punycode(label: string): string {
  const codes = Array.from(label, char => char.codePointAt(0) ?? 0)
  const basic = codes.filter(code => code < 0x80)
  let output = String.fromCodePoint(...basic) + (basic.length > 0 ? '-' : '')
  let handled = basic.length
  let bias = 72
  let delta = 0
  let smallest = 0x80
  while (handled < codes.length) {
    const next = Math.min(...codes.filter(code => code >= smallest))
    delta += (next - smallest) * (handled + 1)
    for (const code of codes) {
      if (code < next) delta++
      if (code !== next) continue
      output += inDigits(delta, bias)
      bias = adapt(delta, handled + 1, handled === basic.length)
      delta = 0
      handled++
    }
    delta++
    smallest = next + 1
  }
  return output
}

const digits = 'abcdefghijklmnopqrstuvwxyz0123456789'

function inDigits(delta: number, bias: number): string {
  let output = ''
  let rest = delta
  for (let k = 36; ; k += 36) {
    const threshold = Math.min(Math.max(k - bias, 1), 26)
    if (rest < threshold) return output + digits.charAt(rest)
    output += digits.charAt(threshold + ((rest - threshold) % (36 - threshold)))
    rest = Math.floor((rest - threshold) / (36 - threshold))
  }
}

function adapt(delta: number, handled: number, first: boolean): number {
  let rest = Math.floor(delta / (first ? 700 : 2))
  rest += Math.floor(rest / handled)
  let k = 0
  for (; rest > 455; k += 36) rest = Math.floor(rest / 35)
  return k + Math.floor((36 * rest) / (rest + 38))
}
