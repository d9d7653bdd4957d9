/** Text of our own lessons, made into HTML by facevis/lessons/texts.py from Markdown without HTML. @param {string} tag @param {string} text */
export function html(tag, text) {
  const el = document.createElement(tag);
  el.innerHTML = text;
  return el;
}
