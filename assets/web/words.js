/**
 * The words on screen, handed in as a flat table. `{name}` in a text is replaced; a key with
 * `_one`, `_few`, `_many`, `_other` follows the language's plural. Pure.
 *
 * @typedef {(key: string, values?: Record<string, string|number>) => string} Words
 */

/** @param {Record<string, string>} strings @param {string} lang @returns {Words} */
export function wordsFrom(strings, lang) {
  const plurals = new Intl.PluralRules(lang);
  return (key, values = {}) => {
    let text = strings[`live_${key}`];
    if (text === undefined && typeof values.n === "number") {
      text = strings[`live_${key}_${plurals.select(values.n)}`] ?? strings[`live_${key}_other`];
    }
    return (text ?? key).replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
  };
}

/** A number as the language writes it. @param {number} value @param {string} lang @param {number} digits */
export function decimal(value, lang, digits) {
  const format = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return new Intl.NumberFormat(lang, format).format(value).replace("-", "−");
}

/** A large number in short words. @param {number} value @param {string} lang */
export function compact(value, lang) {
  const long = value >= 1e6;
  const format = long ? { notation: /** @type {const} */ ("compact"), compactDisplay: /** @type {const} */ ("long"), maximumSignificantDigits: 3 } : { maximumFractionDigits: 0 };
  return new Intl.NumberFormat(lang, format).format(value);
}
