import { Enums, type Types } from "@cornerstonejs/core";
import { h } from "../shared/dom";
import { getJson, sendJson } from "../shared/http";
import type { StackPane } from "./pane";

/** A picture that the report shows, as the server lists it. */
export interface KeyImage {
  id: string;
  series_uid: string;
  instance_uid: string;
  frame: number;
  caption: string;
  thumbnail_url?: string | null;
  url?: string | null;
}

/** What is sent for a new one. `png` is a data URL of the picture with its marks. */
export interface NewKeyImage {
  series_uid: string;
  instance_uid: string;
  frame: number;
  caption: string;
  png: string;
}

/** The key images of a case over `GET`, `POST` and `DELETE`. */
export class KeyImages {
  constructor(private readonly url: string) {}

  async list(): Promise<KeyImage[]> {
    return (await getJson<{ items: KeyImage[] }>(this.url)).items;
  }

  async add(image: NewKeyImage): Promise<void> {
    await sendJson("POST", this.url, image);
  }

  async remove(id: string): Promise<void> {
    await sendJson("DELETE", `${this.url}/${encodeURIComponent(id)}`, undefined);
  }
}

/** Pixels of the longer side that a printed report can make use of. */
const PRINT_SIDE = 1400;

/** The pane's picture with its marks, without the black around it, as a PNG data URL; null when nothing is shown. */
export async function capture(pane: StackPane): Promise<string | null> {
  const { canvas, viewport, marks } = pane;
  if (!canvas || !viewport?.getCornerstoneImage()) return null;
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  const larger = Math.max(1, PRINT_SIDE / Math.max(canvas.width, canvas.height));
  // A small pane would print coarsely: the image is drawn once more, larger, and the marks are vectors anyway.
  const source = larger > 1.2 ? await drawLarger(viewport, width * larger, height * larger) : canvas;
  const picture = document.createElement("canvas");
  picture.width = Math.round(canvas.width * larger);
  picture.height = Math.round(canvas.height * larger);
  const paper = picture.getContext("2d");
  if (!paper) return null;
  paper.drawImage(source, 0, 0, picture.width, picture.height);
  if (marks) paper.drawImage(await rasterize(marks, { width, height }, picture), 0, 0, picture.width, picture.height);
  const box = imageBox(viewport, { width, height }, picture);
  const cut = document.createElement("canvas");
  cut.width = box.width;
  cut.height = box.height;
  cut.getContext("2d")?.drawImage(picture, box.x, box.y, box.width, box.height, 0, 0, box.width, box.height);
  return cut.toDataURL("image/png");
}

/** The same view on a canvas out of sight. */
async function drawLarger(viewport: Types.IStackViewport, width: number, height: number): Promise<HTMLCanvasElement> {
  const engine = viewport.getRenderingEngine();
  const viewportId = "key-image";
  const element = h("div", { class: "iv-offscreen", "aria-hidden": "true" });
  element.style.width = `${Math.round(width)}px`;
  element.style.height = `${Math.round(height)}px`;
  document.body.append(element);
  try {
    engine.enableElement({ viewportId, element, type: Enums.ViewportType.STACK, defaultOptions: { background: [0, 0, 0] } });
    const copy = engine.getViewport(viewportId) as Types.IStackViewport;
    await copy.setStack([viewport.getCurrentImageId()]);
    const { voiRange, invert } = viewport.getProperties();
    copy.setProperties({ ...(voiRange ? { voiRange } : {}), invert: invert ?? false });
    copy.setCamera(viewport.getCamera());
    await new Promise<void>((resolve) => {
      element.addEventListener(Enums.Events.IMAGE_RENDERED, () => resolve(), { once: true });
      copy.render();
    });
    const kept = document.createElement("canvas");
    const drawn = copy.getCanvas();
    kept.width = drawn.width;
    kept.height = drawn.height;
    kept.getContext("2d")?.drawImage(drawn, 0, 0);
    return kept;
  } finally {
    engine.disableElement(viewportId);
    element.remove();
  }
}

interface Size {
  width: number;
  height: number;
}

async function rasterize(marks: SVGElement, seen: Size, picture: Size): Promise<HTMLImageElement> {
  const copy = marks.cloneNode(true) as SVGElement;
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("width", String(picture.width));
  copy.setAttribute("height", String(picture.height));
  copy.setAttribute("viewBox", `0 0 ${seen.width} ${seen.height}`);
  copy.removeAttribute("style");
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(copy))}`;
  await image.decode();
  return image;
}

interface Box extends Size {
  x: number;
  y: number;
}

/** Where the image lies in the picture; all of it when little of the image is in sight. */
function imageBox(viewport: Types.IStackViewport, seen: Size, picture: Size): Box {
  const whole = { x: 0, y: 0, width: picture.width, height: picture.height };
  const data = viewport.getImageData();
  if (!data?.imageData.indexToWorld) return whole;
  const { indexToWorld } = data.imageData;
  const [columns, rows] = data.dimensions;
  const ratio = picture.width / Math.max(1, seen.width);
  const corners = ([[0, 0], [columns, 0], [0, rows], [columns, rows]] as const).map(([i, j]) =>
    viewport.worldToCanvas(indexToWorld([i - 0.5, j - 0.5, 0]) as Types.Point3),
  );
  const [xs, ys] = [corners.map(([x]) => x * ratio), corners.map(([, y]) => y * ratio)];
  const left = Math.max(0, Math.floor(Math.min(...xs)));
  const top = Math.max(0, Math.floor(Math.min(...ys)));
  const width = Math.min(picture.width, Math.ceil(Math.max(...xs))) - left;
  const height = Math.min(picture.height, Math.ceil(Math.max(...ys))) - top;
  return width > 32 && height > 32 ? { x: left, y: top, width, height } : whole;
}
