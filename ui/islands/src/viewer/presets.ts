import { t } from "../shared/words";

export interface Preset {
  id: "bone" | "soft" | "full" | "stored";
  label: string;
  key: string;
  /** Window width and level; null: from the pixels, or as the file says. */
  window: { width: number; level: number } | null;
  /** Only where grey values follow density roughly as in CT. */
  onlyCt: boolean;
}

/** Windows for cone-beam CT: wide enough for enamel and metal, narrow enough for soft tissue borders. */
export function presets(): Preset[] {
  return [
    { id: "bone", label: t("Bone and teeth"), key: "1", window: { width: 3500, level: 900 }, onlyCt: true },
    { id: "soft", label: t("Soft tissue"), key: "2", window: { width: 450, level: 50 }, onlyCt: true },
    { id: "full", label: t("Full range"), key: "3", window: null, onlyCt: false },
    { id: "stored", label: t("As stored"), key: "4", window: null, onlyCt: false },
  ];
}

/** Width and level of a range of grey values (PS3.3 §C.11.2.1.2: the inverse of the linear function, rounded for people). */
export function windowOf(range: { lower: number; upper: number }): { width: number; level: number } {
  return { width: Math.round(range.upper - range.lower), level: Math.round((range.upper + range.lower) / 2) };
}

/** Range of grey values of a width and a level. */
export function rangeOf(window: { width: number; level: number }): { lower: number; upper: number } {
  return { lower: window.level - window.width / 2, upper: window.level + window.width / 2 };
}
