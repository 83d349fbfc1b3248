import { language, N_, plural, t } from "../../../static/js/words.js";

// One reading of the page's translations for islands and pages alike.
export { language, N_, plural, t };

/** "12:04:31", as the pages write it. */
export function clockTime(at: Date): string {
  return at.toLocaleTimeString(language(), { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
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
