/**
 * The zones of a triplet by name, on a strip under the picture that shares its distances from the
 * anchor. Thin zones keep readable names: these are moved apart and tied to their zone by a line.
 */
import { nudgeApart } from "./lossmath.js";

const ZONES = ["hard", "semi", "easy"];

export class ZoneStrip {
  /** @param {import("./sketch.js").Sketch} sketch @param {import("../words.js").Words} words */
  constructor(sketch, words) {
    this.sketch = sketch;
    this.names = ZONES.map((zone) => words(`lesson_triplet_zone_${zone}`));
  }

  /** @param {number} em */
  height(em) {
    return 3.3 * em;
  }

  /**
   * @param {number} top @param {number} left the anchor @param {number} right
   * @param {number[]} borders pixels from the anchor @param {string} current
   */
  draw(top, left, right, borders, current) {
    const { sketch } = this;
    const { em } = sketch;
    const edges = [left, left + borders[0], Math.min(right, left + borders[1]), right];
    const thick = em * 0.5;
    ZONES.forEach((zone, i) => {
      const width = Math.max(0, edges[i + 1] - edges[i]);
      sketch.add("rect", { x: edges[i], y: top + em * 0.5, width, height: thick, class: `fv-zone-${zone} fv-zone-band` });
    });
    for (const edge of edges.slice(1, 3)) sketch.line([edge, top - em * 0.1], [edge, top + em * 0.5 + thick], "fv-stroke fv-mute-stroke");
    this.#names(top + em * 0.5 + thick, edges, right, current);
  }

  /** @param {number} top @param {number[]} edges @param {number} right @param {string} current */
  #names(top, edges, right, current) {
    const { sketch } = this;
    const { em } = sketch;
    const texts = ZONES.map((zone, i) => {
      const node = sketch.word(this.names[i], zone === current ? "fv-strong fv-zone-name" : "fv-zone-name fv-mute-text");
      return { node, width: node.getComputedTextLength() };
    });
    const gap = em * 0.6;
    const whole = texts.reduce((sum, { width }) => sum + width, 2 * gap);
    // Large letters on a small sheet: the names must still stand side by side.
    const scale = Math.min(1, right / whole);
    const middles = ZONES.map((_, i) => (edges[i] + edges[i + 1]) / 2);
    const places = nudgeApart(middles, texts.map(({ width }) => width * scale), gap * scale, 0, right);
    texts.forEach(({ node }, i) => {
      node.setAttribute("text-anchor", "middle");
      if (scale < 1) node.setAttribute("style", `font-size:${scale.toFixed(3)}em`);
      node.setAttribute("x", places[i].toFixed(1));
      node.setAttribute("y", (top + em * 1.75).toFixed(1));
      sketch.path([[middles[i], top + 2], [places[i], top + em * 0.75]], "fv-leader");
    });
  }
}
