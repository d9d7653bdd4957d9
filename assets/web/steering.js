/**
 * What the hand sets beside the picture: margins of the run, or a place among trained members. The
 * picture follows at once, the run with its next step, and the page when the hand has let go.
 */

/** How long after a slider was let go the page hears of it, ms: a key may be pressed again. */
const RELEASED = 150;
/** Of presses in quick succession the page may have taken an earlier one: it hears the last so much later, ms. */
const AGAIN = 1000;

export class Steering {
  /** @param {import("./view.js").View} view */
  constructor(view) {
    this.view = view;
  }

  /** A slider moved. @param {number} stamp when the event happened */
  steer(stamp) {
    const { stage, panel, driver, connection, asked, metrics } = this.view;
    const { margin, scale } = panel.steering();
    stage?.makeWay();
    if (stage) panel.dress(stage);
    stage?.invalidate();
    driver.goLive();
    const id = connection.steer(0, margin, scale);
    if (!asked.has(id)) asked.set(id, performance.now());
    metrics.timeToPaint(stamp);
  }

  release() {
    this.#tellPage(RELEASED);
  }

  /** The page has new data: does it know where the sliders stand, and with it the link? */
  compare() {
    const { panel, data } = this.view;
    const known = data.steering;
    if (!known || !panel.hasMargin()) return;
    const { margin, scale } = panel.steering();
    if ([...margin, scale].some((value, i) => Math.abs(value - known[i]) >= 1e-9)) this.#tellPage(AGAIN);
  }

  /** @param {number} wait ms */
  #tellPage(wait) {
    clearTimeout(this.timer);
    const { view } = this;
    this.timer = setTimeout(() => view.component.setStateValue("steering", view.panel.steering()), wait);
  }

  /** Through trained members. @param {number} member @param {number} stamp when the event happened */
  scrub(member, stamp) {
    const { stage, panel, metrics } = this.view;
    if (!stage) return;
    stage.play((player) => player.turnTo(member, performance.now()));
    panel.dress(stage);
    stage.invalidate();
    if (stamp) metrics.timeToPaint(stamp);
  }

  stop() {
    clearTimeout(this.timer);
  }
}
