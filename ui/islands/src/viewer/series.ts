import { getJson } from "../shared/http";
import { t } from "../shared/words";
import { number, numbers, Tag, text, type DataSet } from "./dicom_json";
import { cautions, spacingOf, withUsableSpacing, type Spacing } from "./spacing";

const DICOM_JSON = "application/dicom+json";
/** Series without pixels to show: reports, presentation states, key object notes, plans, documents. */
const WITHOUT_IMAGES = new Set(["SR", "PR", "KO", "DOC", "RTSTRUCT", "RTPLAN", "REG", "SEG", "AU", "PLAN"]);

/** An image that is read in another series than the one it came in. */
export interface MovedImage {
  study_uid: string;
  series_uid: string;
  instance_uid: string;
  /** What the series that it came in is called; empty where it stands beside that one. */
  came_from: string;
}

/** What the practice made of a series. */
export interface Reading {
  id: string;
  name: string;
  note: string;
  teeth: string[];
  /** Its images came in another series and are read apart from it: all of them are `movedIn`. */
  isApart: boolean;
  movedIn: MovedImage[];
  /** SOP instance UIDs of those that are read elsewhere. */
  movedAway: ReadonlySet<string>;
}

/** One series as QIDO-RS lists it, or as it is read. */
export interface Series {
  study: string;
  uid: string;
  modality: string;
  description: string;
  number: number;
  instances: number;
  /** Address of a small JPEG. */
  thumbnail: string;
  reading?: Reading;
}

/** What a series is found by in the viewer. */
export function keyOf(series: Series): string {
  return series.reading?.isApart ? series.reading.id : series.uid;
}

/** What a series is called: by the practice, else by itself. */
export function nameOf(series: Series): string {
  const name = series.reading?.name || series.description || t("Series {n}", { n: series.number });
  return series.reading?.isApart ? t("{name}, apart", { name }) : name;
}

/** Whether the image is read in this series. */
export function holds(series: Series, image: { series: string; instance: string }): boolean {
  const { reading } = series;
  if (reading?.movedIn.some((moved) => moved.series_uid === image.series && moved.instance_uid === image.instance)) return true;
  return series.uid === image.series && !reading?.isApart && !reading?.movedAway.has(image.instance);
}

/** One picture of a stack: an instance, or one frame of it. */
export interface Frame {
  imageId: string;
  /** UIDs of the study and the series that it came in, whichever it is read in. */
  study: string;
  series: string;
  instance: string;
  /** From 1, as in WADO-RS. */
  frame: number;
  /** What the series is called that it was moved from; empty where it was not. */
  cameFrom: string;
}

/** A series with its pictures in reading order. */
export interface Stack {
  series: Series;
  frames: Frame[];
  imageIds: string[];
  /** Metadata by instance, as the image library gets it. */
  metadata: Map<string, DataSet>;
  spacing: (instance: string) => Spacing;
  cautions: string[];
  hasWindow: boolean;
}

/** QIDO-RS: the series of the studies, those with images first by study, then by number. */
export async function listSeries(root: string, studies: string[]): Promise<Series[]> {
  const lists = await Promise.all(
    studies.map(async (study) => {
      const answer = await getJson<DataSet[]>(`${root}/studies/${study}/series`, DICOM_JSON);
      return answer.map((data) => seriesFrom(root, study, data)).filter(({ modality }) => !WITHOUT_IMAGES.has(modality));
    }),
  );
  return lists.flatMap((list) => list.sort((a, b) => a.number - b.number || a.uid.localeCompare(b.uid)));
}

function seriesFrom(root: string, study: string, data: DataSet): Series {
  const uid = text(data, Tag.SeriesInstanceUID);
  return {
    study,
    uid,
    modality: text(data, Tag.Modality),
    description: text(data, Tag.SeriesDescription),
    number: number(data, Tag.SeriesNumber) ?? Number.MAX_SAFE_INTEGER,
    instances: number(data, Tag.NumberOfSeriesRelatedInstances) ?? 0,
    thumbnail: `${root}/studies/${study}/series/${uid}/thumbnail`,
  };
}

/** Images with the series that they came in. */
interface Source {
  base: string;
  study: string;
  series: string;
  cameFrom: string;
  instances: DataSet[];
}

/** More images of one series than that are asked for at once, with the rest of it. */
const FEW = 4;

/** WADO-RS metadata of a series, as a stack in reading order. */
export async function loadStack(root: string, series: Series): Promise<Stack> {
  const base = baseOf(root, series.study, series.uid);
  const moved = series.reading?.movedIn ?? [];
  const [own, ...others] = await Promise.all([
    series.reading?.isApart ? [] : getJson<DataSet[]>(`${base}/metadata`, DICOM_JSON),
    ...sourcesOf(moved).map((images) => loadMoved(root, images)),
  ]);
  const away = series.reading?.movedAway ?? new Set();
  const stayed = own.filter((data) => !away.has(text(data, Tag.SOPInstanceUID)));
  return stackFrom(base, series, stayed, others);
}

function baseOf(root: string, study: string, series: string): string {
  return `${root}/studies/${study}/series/${series}`;
}

/** Moved images by the series that they came in. */
function sourcesOf(moved: MovedImage[]): MovedImage[][] {
  const found = new Map<string, MovedImage[]>();
  for (const image of moved) found.set(image.series_uid, [...(found.get(image.series_uid) ?? []), image]);
  return [...found.values()];
}

async function loadMoved(root: string, images: MovedImage[]): Promise<Source> {
  const [first] = images as [MovedImage];
  const base = baseOf(root, first.study_uid, first.series_uid);
  const urls =
    images.length > FEW ? [`${base}/metadata`] : images.map(({ instance_uid: uid }) => `${base}/instances/${uid}/metadata`);
  const loaded = (await Promise.all(urls.map((url) => getJson<DataSet[]>(url, DICOM_JSON)))).flat();
  const byUid = new Map(loaded.map((data) => [text(data, Tag.SOPInstanceUID), data]));
  const instances = images.map(({ instance_uid: uid }) => byUid.get(uid)).filter((data) => data !== undefined);
  return { base, study: first.study_uid, series: first.series_uid, cameFrom: first.came_from, instances };
}

/** Builds the stack; separate from its requests, so that order and frames can be tested without a server. */
export function stackFrom(base: string, series: Series, own: DataSet[], others: Source[] = []): Stack {
  const source = { base, study: series.study, series: series.uid, cameFrom: "", instances: own };
  const from = new Map([source, ...others].flatMap((one) => one.instances.map((data) => [data, one] as const)));
  const shows = (data: DataSet): boolean => (number(data, Tag.Rows) ?? 0) > 0;
  const ordered = joined(own.filter(shows), others.flatMap(({ instances }) => instances).filter(shows));
  const metadata = new Map<string, DataSet>();
  const spacings = new Map<string, Spacing>();
  const frames: Frame[] = [];
  for (const data of ordered) {
    const came = from.get(data) ?? source;
    const instance = text(data, Tag.SOPInstanceUID);
    const usable = withUsableSpacing(data);
    // Annotations are kept by frame of reference; projections have none, so their series stands in for it.
    if (!text(usable, Tag.FrameOfReferenceUID)) usable[Tag.FrameOfReferenceUID] = { vr: "UI", Value: [came.series] };
    metadata.set(instance, usable);
    spacings.set(instance, spacingOf(data));
    const count = Math.max(1, number(data, Tag.NumberOfFrames) ?? 1);
    for (let frame = 1; frame <= count; frame += 1) {
      const imageId = `wadors:${came.base}/instances/${instance}/frames/${frame}`;
      frames.push({ imageId, study: came.study, series: came.series, instance, frame, cameFrom: came.cameFrom });
    }
  }
  const first = ordered[0] ?? {};
  return {
    series,
    frames,
    imageIds: frames.map(({ imageId }) => imageId),
    metadata,
    spacing: (instance) => spacings.get(instance) ?? { provenance: "pixels", rowsColumns: null },
    cautions: cautions(first),
    hasWindow: numbers(first, Tag.WindowCenter).length > 0,
  };
}

/**
 * Reading order with images that were moved here: slices by their position, in the direction in which the series runs, for
 * numbers of another series mean nothing here; others after the series' own, as they were moved.
 */
function joined(own: DataSet[], moved: DataSet[]): DataSet[] {
  const ordered = inReadingOrder(own);
  if (moved.length === 0) return ordered;
  const all = [...ordered, ...moved];
  if (!all.every((data) => numbers(data, Tag.ImagePositionPatient).length === 3)) return all;
  const place = alongNormal(all);
  const [first, last] = [ordered[0], ordered.at(-1)];
  const direction = first && last && place(last) < place(first) ? -1 : 1;
  return all.sort((a, b) => direction * (place(a) - place(b)));
}

/**
 * Reading order: by instance number; where numbers are missing or repeat (some exporters write 1 everywhere), by position
 * along the normal of the slices.
 */
export function inReadingOrder(instances: DataSet[]): DataSet[] {
  const counted = instances.map((data) => number(data, Tag.InstanceNumber));
  const unique = new Set(counted).size === counted.length && !counted.includes(null);
  const key = unique ? (data: DataSet) => number(data, Tag.InstanceNumber) ?? 0 : alongNormal(instances);
  return [...instances].sort(
    (a, b) => key(a) - key(b) || text(a, Tag.SOPInstanceUID).localeCompare(text(b, Tag.SOPInstanceUID)),
  );
}

function alongNormal(instances: DataSet[]): (data: DataSet) => number {
  const [rx = 1, ry = 0, rz = 0, cx = 0, cy = 1, cz = 0] = numbers(instances[0] ?? {}, Tag.ImageOrientationPatient);
  const normal = [ry * cz - rz * cy, rz * cx - rx * cz, rx * cy - ry * cx] as const;
  return (data) => {
    const position = numbers(data, Tag.ImagePositionPatient);
    if (position.length !== 3) return number(data, Tag.InstanceNumber) ?? 0;
    return normal.reduce((sum, part, axis) => sum + part * (position[axis] ?? 0), 0);
  };
}
