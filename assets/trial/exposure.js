/**
 * A timed presentation: a cross, the face for whole frames, a mask.
 *
 * A frame's timestamp is the same distance from its moment on screen for each frame, so the time from
 * the frame that puts the face on the page to the frame that takes it away is the time it was shown.
 */
class Exposure {
  constructor(stage, watch, { fixation_ms, duration_ms, mask_ms }) {
    Object.assign(this, { stage, watch, fixation_ms, duration_ms, mask_ms });
  }

  /** Returns the face's onset; `going` says whether this presentation is still wanted. */
  async run(faces, going, seen) {
    const { stage, watch } = this;
    watch.sample(this.fixation_ms + this.duration_ms + this.mask_ms + SAMPLE_MS);
    if (this.fixation_ms) stage.cross();
    const since = await frame();
    const swapped = this.fixation_ms ? await this.hold(since, this.fixation_ms) : since;
    if (!going()) return null;
    seen();
    stage.show(faces);
    watch.swap(faces, swapped);
    watch.onhide = () => this.interrupt(swapped);
    const onset = await frame();
    watch.presented(onset);
    const taken = await this.face(swapped, onset);
    if (going() && this.mask_ms) {
      stage.mask();
      await this.hold(taken, this.mask_ms);
    }
    stage.clear();
    return onset;
  }

  async face(swapped, onset) {
    const { stage, watch } = this;
    const { period } = watch;
    const wanted = Math.max(1, Math.round(this.duration_ms / period)) * period;
    const taken = await this.hold(swapped, wanted, onset);
    stage.clear();
    watch.onhide = null;
    watch.shown ??= taken - swapped;
    // A dropped frame showed the face for longer than was asked.
    watch.ok &&= Math.abs(watch.shown - wanted) < period / 2 + 1;
    return taken;
  }

  /** No frames come while the page is hidden: the face must not wait there for the participant. */
  interrupt(swapped) {
    this.stage.clear();
    this.watch.shown = performance.now() - swapped;
    this.watch.ok = false;
  }

  /** Wait for the frame that is nearest to `ms` after `since`. */
  async hold(since, ms, now = since) {
    const half = this.watch.period / 2;
    while (now - since < ms - half) now = await frame();
    return now;
  }
}
