import { Enums, eventTarget, type Types } from "@cornerstonejs/core";
import { problemFrom } from "../shared/http";
import { plural, t } from "../shared/words";
import type { OverlayFacts } from "./overlay";
import { windowOf } from "./presets";
import { nameOf, type Stack } from "./series";
import { provenanceWords } from "./spacing";

/** Pictures that are in memory, by image id; shared by all panes. */
const loaded = new Set<string>();
eventTarget.addEventListener(Enums.Events.IMAGE_LOADED, (event: Event) => {
  loaded.add((event as CustomEvent<{ image: { imageId: string } }>).detail.image.imageId);
});
eventTarget.addEventListener(Enums.Events.IMAGE_CACHE_IMAGE_REMOVED, (event: Event) => {
  loaded.delete((event as CustomEvent<{ imageId: string }>).detail.imageId);
});

/** What a series is called on the image. */
export function titleOf(stack: Stack): string {
  return nameOf(stack.series);
}

/** "Image 12 of 200". */
export function positionWords(index: number, count: number): string {
  return t("Image {n} of {count}", { n: index + 1, count });
}

/** What is written on an image: its name, place, window, zoom, and what its numbers cannot promise. */
export function factsOf(viewport: Types.IStackViewport, stack: Stack, index: number): OverlayFacts {
  const image: Types.IImage | undefined = viewport.getCornerstoneImage();
  const count = stack.frames.length;
  const here = stack.imageIds.filter((id) => loaded.has(id)).length;
  const { voiRange } = viewport.getProperties();
  const percent = image ? Math.round(100 * pixelScale(viewport, image.columnPixelSpacing)) : 0;
  return {
    title: titleOf(stack),
    subtitle: [stack.series.reading?.teeth.join(", "), stack.series.modality, image ? `${image.columns} × ${image.rows}` : ""].filter(Boolean).join(" · "),
    position: positionWords(index, count),
    loading: here >= count ? "" : plural(count, "Loading: {loaded} of {n} image", "Loading: {loaded} of {n} images", { loaded: here }),
    window: voiRange && image && !image.color ? t("W {width}  L {level}", windowOf(voiRange)) : "",
    zoom: image ? t("Zoom {percent} %", { percent }) : "",
    lengths: provenanceWords(stack.spacing(stack.frames[index]?.instance ?? "")),
    cautions: [...movedWords(stack.frames[index]?.cameFrom ?? ""), ...stack.cautions],
  };
}

function movedWords(series: string): string[] {
  return series ? [t("Moved here by the practice, from “{series}”", { series })] : [];
}

/** Screen pixels (CSS) for one image pixel. */
function pixelScale(viewport: Types.IStackViewport, columnSpacing: number | undefined): number {
  const { parallelScale } = viewport.getCamera();
  return parallelScale ? (viewport.element.clientHeight / (2 * parallelScale)) * (columnSpacing || 1) : 1;
}

/** Why an image could not be shown, in a sentence. */
export function loadErrorWords(error: unknown): string {
  const request = error as { status?: number; response?: unknown } | null;
  if (request && typeof request.status === "number") {
    const body = request.response instanceof ArrayBuffer ? new TextDecoder().decode(request.response) : "";
    return problemFrom(request.status, body).detail;
  }
  return t("This image could not be decoded. Its file may be damaged.");
}
