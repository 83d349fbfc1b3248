// Texts in the reader's language. A page that is not in English carries its translations as a data block, which a strict
// Content-Security-Policy does not execute: <script type="application/json" data-island-words>{"English": "…"}</script>.
// The forms of a plural are a list, in the order that gettext and CLDR share: zero, one, two, few, many, other.

const ORDER = ["zero", "one", "two", "few", "many", "other"];

/** @type {Record<string, string | string[]> | undefined} */
let catalogue;

/** @returns {Record<string, string | string[]>} */
function words() {
  const block = typeof document === "undefined" ? null : document.querySelector("script[data-island-words]");
  return (catalogue ??= block?.textContent ? JSON.parse(block.textContent) : {});
}

/**
 * The page's language, for dates, numbers and plurals.
 * @returns {string | undefined}
 */
export function language() {
  return (typeof document !== "undefined" && document.documentElement.lang) || undefined;
}

/**
 * @param {string} text
 * @param {Record<string, string | number>} values
 */
function filled(text, values) {
  return text.replace(/\{(\w+)\}/g, (hole, name) => (name in values ? String(values[name]) : hole));
}

/** Marks a text that is translated where it is shown. @param {string} english */
export const N_ = (english) => english;

/**
 * The text in the page's language, with `{name}` filled in.
 * @param {string} english
 * @param {Record<string, string | number>} [values]
 * @returns {string}
 */
export function t(english, values = {}) {
  const found = words()[english];
  return filled(typeof found === "string" ? found : (found?.at(-1) ?? english), values);
}

/**
 * One text for one, others for several: `plural(3, "{n} file", "{n} files")`.
 * @param {number} n
 * @param {string} one
 * @param {string} many
 * @param {Record<string, string | number>} [values]
 * @returns {string}
 */
export function plural(n, one, many, values = {}) {
  const shown = { n: n.toLocaleString(language()), ...values };
  const forms = words()[one];
  if (!Array.isArray(forms)) return filled(n === 1 ? one : many, shown);
  const rules = new Intl.PluralRules(language());
  const known = new Set(rules.resolvedOptions().pluralCategories);
  const at = ORDER.filter((category) => known.has(category)).indexOf(rules.select(n));
  return filled(forms[Math.min(at, forms.length - 1)] ?? many, shown);
}
