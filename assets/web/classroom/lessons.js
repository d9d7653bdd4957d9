/** The lessons' bundles, fetched once; one whose answer is withheld is never kept. */

export class Lessons {
  /** @param {string} base @param {(url: string) => Promise<any>} [ask] for tests */
  constructor(base, ask = (url) => fetch(url)) {
    this.base = base;
    this.ask = ask;
    /** @type {Map<string, any>} */
    this.kept = new Map();
  }

  /**
   * @param {number} number @param {string} lang @param {string} [run] the token of a run that stands in
   * @param {boolean} [anew] whether what is known is out of date
   * @returns {Promise<any>}
   */
  async get(number, lang, run = "", anew = false) {
    const key = [number, lang, run].join(" ");
    if (this.kept.has(key) && !anew) return this.kept.get(key);
    const answer = await this.ask(`${this.base}/lesson/${number}.json?lang=${lang}`);
    if (!answer.ok) throw new Error(`lesson ${number}: ${answer.status}`);
    const told = await answer.json();
    if (told.withheld) this.kept.delete(key);
    else this.kept.set(key, told);
    return told;
  }
}
