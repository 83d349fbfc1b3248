import type { Types } from "@cornerstonejs/core";
import { rangeOf } from "./presets";

export interface GreyRange {
  lower: number;
  upper: number;
}

function first(value: number | number[] | undefined): number | undefined {
  return Array.isArray(value) ? value[0] : value;
}

/** The window that the file asks for; without one, all of its grey values. */
export function storedRange(image: Types.IImage | undefined): GreyRange | null {
  const [level, width] = [first(image?.windowCenter), first(image?.windowWidth)];
  return level !== undefined && width !== undefined && width > 0 ? rangeOf({ width, level }) : fullRange(image);
}

/** From the darkest to the brightest value of the image; a little around it where all are alike. */
export function fullRange(image: Types.IImage | undefined): GreyRange | null {
  const pixels = image?.getPixelData();
  if (!pixels?.length) return null;
  let [lower, upper] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of pixels) {
    if (value < lower) lower = value;
    if (value > upper) upper = value;
  }
  return upper > lower ? { lower, upper } : { lower: lower - 1, upper: upper + 1 };
}
