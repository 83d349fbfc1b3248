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
  constructor(
    private readonly url: string,
    private readonly csrf: string,
  ) {}

  async list(): Promise<KeyImage[]> {
    return (await getJson<{ items: KeyImage[] }>(this.url)).items;
  }

  async add(image: NewKeyImage): Promise<void> {
    await sendJson("POST", this.url, image, this.csrf);
  }

  async remove(id: string): Promise<void> {
    await sendJson("DELETE", `${this.url}/${encodeURIComponent(id)}`, undefined, this.csrf);
  }
}

/** The pane's picture with its marks, without the black around it, as a PNG data URL; null when nothing is shown. */
export async function capture(pane: StackPane): Promise<string | null> {
  const { canvas, viewport } = pane;
  if (!canvas || !viewport?.getCornerstoneImage()) return null;
  const picture = document.createElement("canvas");
  picture.width = canvas.width;
  picture.height = canvas.height;
  const paper = picture.getContext("2d");
  if (!paper) return null;
  paper.drawImage(canvas, 0, 0);
  if (pane.marks) paper.drawImage(await rasterize(pane.marks, canvas), 0, 0, canvas.width, canvas.height);
  const box = imageBox(pane, canvas);
  const cut = document.createElement("canvas");
  cut.width = box.width;
  cut.height = box.height;
  cut.getContext("2d")?.drawImage(picture, box.x, box.y, box.width, box.height, 0, 0, box.width, box.height);
  return cut.toDataURL("image/png");
}

async function rasterize(marks: SVGElement, canvas: HTMLCanvasElement): Promise<HTMLImageElement> {
  const copy = marks.cloneNode(true) as SVGElement;
  const { clientWidth, clientHeight } = canvas;
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("width", String(canvas.width));
  copy.setAttribute("height", String(canvas.height));
  copy.setAttribute("viewBox", `0 0 ${clientWidth} ${clientHeight}`);
  copy.removeAttribute("style");
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(copy))}`;
  await image.decode();
  return image;
}

interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Where the image lies on the canvas, in device pixels; the whole canvas when little of it is in sight. */
function imageBox(pane: StackPane, canvas: HTMLCanvasElement): Box {
  const whole = { x: 0, y: 0, width: canvas.width, height: canvas.height };
  const { viewport } = pane;
  const data = viewport?.getImageData();
  if (!viewport || !data?.imageData.indexToWorld) return whole;
  const { indexToWorld } = data.imageData;
  const [columns, rows] = data.dimensions;
  const ratio = canvas.width / Math.max(1, canvas.clientWidth);
  const corners = ([[0, 0], [columns, 0], [0, rows], [columns, rows]] as const).map(([i, j]) =>
    viewport.worldToCanvas(indexToWorld([i - 0.5, j - 0.5, 0]) as [number, number, number]),
  );
  const [xs, ys] = [corners.map(([x]) => x * ratio), corners.map(([, y]) => y * ratio)];
  const left = Math.max(0, Math.floor(Math.min(...xs)));
  const top = Math.max(0, Math.floor(Math.min(...ys)));
  const width = Math.min(canvas.width, Math.ceil(Math.max(...xs))) - left;
  const height = Math.min(canvas.height, Math.ceil(Math.max(...ys))) - top;
  return width > 32 && height > 32 ? { x: left, y: top, width, height } : whole;
}
