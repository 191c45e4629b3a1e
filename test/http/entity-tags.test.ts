import { expect } from 'chai'
import { ownerTag, publicTag } from '../../src/http/entity-tags.ts'

describe('The entity tag of a profile', () => {
  it('is another one for another user, and by another version of the read model', () => {
    const profiles = [
      { id: 1, version: 1 },
      { id: 2, version: 1 },
      { id: 1, version: 2 },
    ]
    for (const tagOf of [
      (profile: { id: number; version: number }) => ownerTag(profile, 0n),
      (profile: { id: number; version: number }) => publicTag(profile, '{}'),
    ]) {
      expect(new Set(profiles.map(tagOf)).size).to.equal(3)
    }
  })

  it('is the digest of what is shown, for others than the owner', () => {
    const profile = { id: 1, version: 1 }
    expect(publicTag(profile, '{}')).to.equal('"1.RBNvo1WzZ4oRRq0W9-hknp.public.1"')
    expect(publicTag(profile, '{"bio":"ü"}')).not.to.equal(publicTag(profile, '{"bio":"u"}'))
  })
})
