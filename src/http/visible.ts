/** The header that tells a client that reads do not show yet what it wrote. */
export function pendingUnless(visible: boolean): string[] {
  return visible ? [] : ['Roster-Visible', 'pending']
}
