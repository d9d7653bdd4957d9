/** One small picture of a sheet of them. */
import { h } from "./dom.js";

/** @param {{url: string, columns: number}} sheet @param {number} index @param {number} side letters' heights @param {Record<string, any>} [props] without: a picture that says nothing */
export function tile({ url, columns }, index, side, props = { class: "fv-strip-picture", "aria-hidden": "true" }) {
  const picture = h("span", props);
  Object.assign(picture.style, {
    width: `${side}em`,
    height: `${side}em`,
    backgroundImage: `url("${url}")`,
    backgroundSize: `${columns * side}em`,
    backgroundPosition: `${-(index % columns) * side}em ${-Math.floor(index / columns) * side}em`,
  });
  return picture;
}
