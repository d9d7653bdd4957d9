/** Small choices that a browser remembers; where nothing may be kept they hold for the page. */

/** @param {string} name @returns {string|null} */
export function recall(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

/** @param {string} name @param {string} value */
export function remember(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    // A private window.
  }
}
