/**
 * One member's picture: its player, its canvas, its caps and arrows. Cells of one stage share the
 * scene's camera and the sample under the pointer; a cell knows neither time nor Plotly.
 *
 * @typedef {import("./protocol.js").Frame} Frame
 * @typedef {import("./project.js").Projection} Projection
 */
import { Layer } from "./layer.js";
import { Player } from "./player.js";
import { markerSize } from "./figure.js";
import { admissibleRadius, pretendedAngle } from "./formula.js";
import { angleBetween } from "./store.js";
import { cap } from "./shapes.js";
import { classColor } from "./palette.js";
import * as adorn from "./adornments.js";
import * as mark from "./samplemarks.js";

export class Cell {
  /**
   * @param {HTMLCanvasElement} canvas @param {any} run the run's description @param {number} member
   * @param {import("./store.js").FrameStore} store
   * @param {{colors: any, project: boolean, still: boolean}} look
   * @param {(frame: Frame) => void} shown
   */
  constructor(canvas, run, member, store, look, shown) {
    this.run = run;
    this.member = member;
    this.colors = look.colors;
    this.spherical = run.members[Math.floor(member)].spherical;
    this.project = look.project;
    /** @type {import("./formula.js").Margin} */
    this.margin = { m1: 1, m2: 0, m3: 0 };
    this.caps = false;
    /** @type {import("./samplemarks.js").Push|null} what the next step does to the sample in focus */
    this.push = null;
    const shape = { points: run.points, classes: run.class_names.length, dim: run.dim, member };
    this.player = new Player(store, shape, shown);
    this.player.flat = this.spherical;
    /** Whether three prototypes of many dimensions span the picture: points lie inside the ball. */
    this.spanned = run.projection?.kind === "span";
    this.player.inside = this.spanned;
    this.player.project = !this.spherical && look.project;
    this.player.still = look.still;
    this.layer = new Layer(canvas, run);
    /** @type {number|undefined} how large the sphere was at first, as a share of the width */
    this.firstShare = undefined;
  }

  /** Whether what is shown lies on the circle or sphere. */
  get flat() {
    return this.spherical || this.project;
  }

  /** @param {boolean} project */
  setProject(project) {
    this.project = project;
    this.player.project = !this.spherical && project;
    this.player.refresh(performance.now());
  }

  /** The margin whose caps are drawn; a projection has none, their size would not be true. @param {import("./formula.js").Margin|null} margin null draws none */
  setMargin(margin) {
    this.caps = margin !== null && !this.run.projection;
    if (margin) this.margin = margin;
  }

  /** Admissible radius of the margin set, radians; 0 if it does not fit. */
  radius() {
    return admissibleRadius(this.margin, this.run.packing_angle);
  }

  /**
   * @param {Layer} layer where to @param {import("./scene.js").Scene} scene
   * @param {number|null} focus the sample under the pointer
   * @returns {boolean} whether there is a picture yet
   */
  paint(layer, scene, focus) {
    const projection = this.#seenBy(scene);
    if (projection) scene.backdrop(layer.context, projection, this.flat);
    if (!projection || !this.player.frame) return false;
    const { picture } = this.player;
    layer.setMarker(this.#markerSize(projection), this.colors.halo);
    layer.project(projection, picture.points);
    const drawing = this.#drawing(projection, layer.context);
    if (this.flat && projection.dim === 3) adorn.drawOutline(drawing);
    if (!this.flat) adorn.drawRings(drawing, picture.radius);
    else if (this.caps) adorn.drawCaps(drawing, this.radius(), this.run.packing_angle);
    if (projection.dim === 2) adorn.drawArrows(drawing);
    if (!scene.holdsPoints) layer.drawPoints(projection.dim === 3 && (!this.flat || this.spanned));
    if (projection.dim === 3) adorn.drawArrows(drawing);
    adorn.drawLabels(drawing);
    this.#drawFocus(drawing, layer, focus);
    return true;
  }

  /** The scene's projection; a ball with points inside is made of glass. @param {import("./scene.js").Scene} scene @returns {Projection|null} */
  #seenBy(scene) {
    const projection = scene.projection(this.flat);
    return projection && this.spanned ? { ...projection, hidden: () => false } : projection;
  }

  /** Plotly's 3-D markers grow with the zoom. @param {Projection} projection */
  #markerSize(projection) {
    const { width } = this.layer;
    const size = markerSize(width);
    if (projection.dim === 2) return size;
    const share = projection.scale / width;
    this.firstShare ??= share;
    return Math.round(2 * size * Math.min(6, share / this.firstShare)) / 2;
  }

  /** @param {Projection} projection @param {CanvasRenderingContext2D} context */
  #drawing(projection, context) {
    const { width } = this.layer;
    return {
      context,
      projection,
      prototypes: this.player.picture.prototypes,
      names: this.run.class_names,
      colors: this.colors,
      flat: this.flat,
      only: this.spanned ? this.run.projection.classes : null,
      size: width,
      font: Math.round(Math.min(20, Math.max(12, width / 38))),
    };
  }

  /** @param {import("./adornments.js").Drawing} drawing @param {Layer} layer @param {number|null} i */
  #drawFocus(drawing, layer, i) {
    if (i === null || layer.hidden[i]) return;
    const { dim, labels, members } = this.run;
    const label = labels[i];
    const { points, prototypes, radius } = this.player.picture;
    const sample = [...points.subarray(i * dim, (i + 1) * dim)];
    // Beside the arrows of a step, the arc of the margin would be taken for one of them.
    if (this.flat && !this.push && !this.run.projection && label < drawing.names.length) {
      const angle = angleBetween(points, i, prototypes, label, dim);
      const { tail } = members[Math.floor(this.member)];
      const pretended = this.caps ? pretendedAngle(angle, this.margin, tail) : 0;
      mark.drawMarginArc(drawing, sample, label, angle, pretended);
    }
    if (this.push) mark.drawPush(drawing, sample, this.push, radius);
    mark.drawFocus(drawing, layer.xy[2 * i], layer.xy[2 * i + 1], layer.marker + 2);
  }

  /** What a picture file should hold: what is not drawn here is no number there. @param {import("./scene.js").Scene} scene */
  capture(scene) {
    const { dim, class_names: names } = this.run;
    const { picture } = this.player;
    const only = this.spanned ? this.run.projection.classes : null;
    const points = without(picture.points, dim, (i) => Boolean(this.layer.absent?.[i]));
    const prototypes = without(picture.prototypes, dim, (c) => only !== null && !only.includes(c));
    const radius = this.caps && this.flat ? this.radius() : 0;
    const caps = radius
      ? names.map((/** @type {string} */ _, /** @type {number} */ c) => ({
          color: classColor(c),
          points: cap([...prototypes.subarray(c * dim, (c + 1) * dim)], radius, dim === 2 ? 1.06 : 1.002),
        }))
      : [];
    const projection = scene.projection(this.flat);
    const seen = names.map((/** @type {string} */ _, /** @type {number} */ c) => {
      const [x, y, z] = prototypes.subarray(c * dim, (c + 1) * dim);
      return !Number.isNaN(x) && !projection?.hidden(x * adorn.TIP, y * adorn.TIP, (z ?? 0) * adorn.TIP);
    });
    return { points, prototypes, names, seen, caps, ink: this.colors.ink };
  }
}

/** A copy of the rows in which those left out are no numbers. @param {Float32Array} rows @param {number} dim @param {(row: number) => boolean} left */
function without(rows, dim, left) {
  return rows.map((value, k) => (left(Math.floor(k / dim)) ? NaN : value));
}
