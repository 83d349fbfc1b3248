import type { Types } from "@cornerstonejs/core";
import type { GreyRange } from "./grey_range";
import { keyOf, type Stack } from "./series";

/** How a stack is looked at; saved with the case so that it opens as it was left. */
export interface StackView {
  study: string;
  series: string;
  instance: string;
  frame: number;
  voi: GreyRange | null;
  invert: boolean;
  rotation: number;
  flipHorizontal: boolean;
  flipVertical: boolean;
  zoom: number;
  pan: [number, number];
}

/** How a viewport shows the image at `index` of its stack; null while there is none. */
export function viewOf(viewport: Types.IStackViewport, stack: Stack, index: number): StackView | null {
  const frame = stack.frames[index];
  if (!frame || !viewport.getCornerstoneImage()) return null;
  const { voiRange, invert } = viewport.getProperties();
  const seen = viewport.getViewPresentation();
  return {
    study: stack.series.study,
    series: keyOf(stack.series),
    instance: frame.instance,
    frame: frame.frame,
    voi: voiRange ? { lower: voiRange.lower, upper: voiRange.upper } : null,
    invert: invert ?? false,
    rotation: seen.rotation ?? 0,
    flipHorizontal: seen.flipHorizontal ?? false,
    flipVertical: seen.flipVertical ?? false,
    zoom: seen.zoom ?? 1,
    pan: [seen.pan?.[0] ?? 0, seen.pan?.[1] ?? 0],
  };
}

/** Where in the stack a saved view was; the middle of a long stack where it was nowhere. */
export function startOf(stack: Stack, view: StackView | undefined): number {
  const saved = view ? stack.frames.findIndex((one) => one.instance === view.instance && one.frame === view.frame) : -1;
  if (saved >= 0) return saved;
  return stack.frames.length > 10 ? Math.floor(stack.frames.length / 2) : 0;
}
