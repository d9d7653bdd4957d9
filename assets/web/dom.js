/**
 * A few lines to build elements. Text only ever enters as text, never as markup.
 *
 * @param {string} tag
 * @param {Record<string, any>} [props] attributes; `text`, `class` and `on…` handlers are special
 * @param {...(Node|string)} children
 * @returns {any}
 */
export function h(tag, props = {}, ...children) {
  return fill(document.createElement(tag), props, children);
}

/** The same for SVG. @param {string} tag @param {Record<string, any>} [props] @param {...(Node|string)} children @returns {any} */
export function svg(tag, props = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), props, children);
}

/** The same for MathML. @param {string} tag @param {Record<string, any>} [props] @param {...(Node|string)} children @returns {any} */
export function math(tag, props = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/1998/Math/MathML", tag), props, children);
}

/** Words of an element; the same words again are no work for the browser. @param {Element} node @param {string} text */
export function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** @param {Element} node @param {Record<string, any>} props @param {(Node|string)[]} children */
function fill(node, props, children) {
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "text") node.textContent = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children);
  return node;
}
