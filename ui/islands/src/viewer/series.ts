import { getJson } from "../shared/http";
import { number, numbers, Tag, text, type DataSet } from "./dicom_json";
import { cautions, spacingOf, withUsableSpacing, type Spacing } from "./spacing";

const DICOM_JSON = "application/dicom+json";
/** Series without pixels to show: reports, presentation states, key object notes, plans, documents. */
const WITHOUT_IMAGES = new Set(["SR", "PR", "KO", "DOC", "RTSTRUCT", "RTPLAN", "REG", "SEG", "AU", "PLAN"]);

/** One series as QIDO-RS lists it. */
export interface Series {
  study: string;
  uid: string;
  modality: string;
  description: string;
  number: number;
  instances: number;
  /** Address of a small JPEG. */
  thumbnail: string;
}

/** One picture of a stack: an instance, or one frame of it. */
export interface Frame {
  imageId: string;
  instance: string;
  /** From 1, as in WADO-RS. */
  frame: number;
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

/** WADO-RS metadata of a series, as a stack in reading order. */
export async function loadStack(root: string, series: Series): Promise<Stack> {
  const base = `${root}/studies/${series.study}/series/${series.uid}`;
  return stackFrom(base, series, await getJson<DataSet[]>(`${base}/metadata`, DICOM_JSON));
}

/** Builds the stack; separate from its request, so that order and frames can be tested without a server. */
export function stackFrom(base: string, series: Series, instances: DataSet[]): Stack {
  const ordered = inReadingOrder(instances.filter((data) => (number(data, Tag.Rows) ?? 0) > 0));
  const metadata = new Map<string, DataSet>();
  const spacings = new Map<string, Spacing>();
  const frames: Frame[] = [];
  for (const data of ordered) {
    const instance = text(data, Tag.SOPInstanceUID);
    const usable = withUsableSpacing(data);
    // Annotations are kept by frame of reference; projections have none, so their series stands in for it.
    if (!text(usable, Tag.FrameOfReferenceUID)) usable[Tag.FrameOfReferenceUID] = { vr: "UI", Value: [series.uid] };
    metadata.set(instance, usable);
    spacings.set(instance, spacingOf(data));
    const count = Math.max(1, number(data, Tag.NumberOfFrames) ?? 1);
    for (let frame = 1; frame <= count; frame += 1) {
      frames.push({ imageId: `wadors:${base}/instances/${instance}/frames/${frame}`, instance, frame });
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
