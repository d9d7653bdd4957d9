/**
 * What the lessons' diagrams share: they are drawn anew when a value, the room or the answer
 * changes. A diagram says how it is drawn (`draw`) and what it put on the page (`parts`).
 */
export class Diagram {
  /** @param {any} context the page's */
  constructor(context) {
    this.context = context;
    this.isOpen = false;
    /** @type {Element[]} */
    this.parts = [];
    /** @type {{fit: () => void}[]} what must know the room before anything is drawn */
    this.fitted = [];
  }

  draw() {}

  open() {
    this.isOpen = true;
    this.draw();
  }

  fit() {
    for (const part of this.fitted) part.fit();
    this.draw();
  }

  /** @returns {Record<string, string>} nothing of it belongs into a link but the controls */
  state() {
    return {};
  }

  dispose() {
    for (const part of this.parts) part.remove();
  }
}
