/**
 * Sentences for people. A page may carry `<script type="application/json" data-island-words>{"English": "…"}</script>`
 * (a data block: a strict Content-Security-Policy does not execute it); without it the English text is shown.
 */
let catalogue: Record<string, string> | undefined;

function load(): Record<string, string> {
  const block = typeof document === "undefined" ? null : document.querySelector("script[data-island-words]");
  try {
    return block?.textContent ? (JSON.parse(block.textContent) as Record<string, string>) : {};
  } catch {
    return {};
  }
}

/** The sentence in the page's language, with `{name}` filled in. */
export function t(english: string, values: Record<string, string | number> = {}): string {
  catalogue ??= load();
  return (catalogue[english] ?? english).replace(/\{(\w+)\}/g, (hole, name: string) =>
    name in values ? String(values[name]) : hole,
  );
}

/** One sentence for one, another for several: `plural(3, "{n} file", "{n} files")`. */
export function plural(n: number, one: string, many: string, values: Record<string, string | number> = {}): string {
  return t(n === 1 ? one : many, { n: n.toLocaleString(language()), ...values });
}

/** The page's language, for dates and numbers. */
export function language(): string | undefined {
  return (typeof document !== "undefined" && document.documentElement.lang) || undefined;
}

/** "12:04:31" in the person's locale. */
export function clockTime(at: Date): string {
  return at.toLocaleTimeString(language(), { hour: "2-digit", minute: "2-digit", second: "2-digit" });
}

/** Decimal units, as operating systems show them for downloads. */
export function bytes(n: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = n;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  return `${value.toLocaleString(language(), { maximumFractionDigits: digits })} ${units[unit]}`;
}

/** "about 2 min": calm, so that it does not jump with every second. */
export function roughly(seconds: number): string {
  if (!Number.isFinite(seconds)) return "";
  if (seconds < 10) return t("a few seconds");
  if (seconds < 60) return t("about {n} s", { n: Math.ceil(seconds / 10) * 10 });
  if (seconds < 3600) return t("about {n} min", { n: Math.ceil(seconds / 60) });
  return t("about {n} h", { n: (seconds / 3600).toLocaleString(language(), { maximumFractionDigits: 1 }) });
}
