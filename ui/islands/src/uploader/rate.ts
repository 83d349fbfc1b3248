/** How long is measured before anything is said. */
const SETTLE_MS = 1500;

/** Bytes per second over the last seconds, so that the figure follows the line and does not flicker. */
export class RateMeter {
  private samples: { at: number; bytes: number }[] = [];

  constructor(private readonly windowMs = 8000) {}

  /** Notes `bytes` that went out at `at` (ms). */
  add(bytes: number, at: number): void {
    this.samples.push({ at, bytes });
    this.trim(at);
  }

  /** Bytes per second at `at` (ms); 0 until there is something to measure: the first moment would promise hours. */
  perSecond(at: number): number {
    this.trim(at);
    const first = this.samples[0];
    if (!first || at - first.at < SETTLE_MS) return 0;
    const seconds = (at - first.at) / 1000;
    return this.samples.reduce((sum, sample) => sum + sample.bytes, 0) / seconds;
  }

  reset(): void {
    this.samples = [];
  }

  private trim(at: number): void {
    while (this.samples[0] && this.samples[0].at < at - this.windowMs) this.samples.shift();
  }
}
