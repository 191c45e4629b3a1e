import Mocha from 'mocha'

/** Mocha's own report, and one plain line of the counts at its end that other programs can read. */
export default class ClosingLine extends Mocha.reporters.Spec {
  override epilogue(): void {
    super.epilogue()
    const { passes, failures, pending } = this.stats
    console.log(`${passes} passed, ${failures} failed${pending === 0 ? '' : `, ${pending} skipped`}`)
  }
}
