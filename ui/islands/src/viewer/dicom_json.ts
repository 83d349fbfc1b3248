/** DICOM JSON Model (PS3.18 Annex F): tags as eight hex digits. */
export interface Element {
  vr?: string;
  Value?: unknown[];
  BulkDataURI?: string;
  InlineBinary?: string;
}
export type DataSet = Record<string, Element | undefined>;

/** Tags the viewer reads, by their keyword in PS3.6. */
export const Tag = {
  SOPClassUID: "00080016",
  SOPInstanceUID: "00080018",
  Modality: "00080060",
  SeriesDescription: "0008103E",
  ImagerPixelSpacing: "00181164",
  EstimatedRadiographicMagnificationFactor: "00181114",
  SpiralPitchFactor: "00189311",
  SeriesInstanceUID: "0020000E",
  SeriesNumber: "00200011",
  InstanceNumber: "00200013",
  ImagePositionPatient: "00200032",
  ImageOrientationPatient: "00200037",
  FrameOfReferenceUID: "00200052",
  NumberOfSeriesRelatedInstances: "00201209",
  NumberOfFrames: "00280008",
  Rows: "00280010",
  Columns: "00280011",
  PixelSpacing: "00280030",
  PixelSpacingCalibrationType: "00280A02",
  WindowCenter: "00281050",
  PixelMeasuresSequence: "00289110",
  SharedFunctionalGroupsSequence: "52009229",
  PerFrameFunctionalGroupsSequence: "52009230",
} as const;

/** First value as text; "" where there is none. Person names give their alphabetic group. */
export function text(data: DataSet, tag: string): string {
  const value = data[tag]?.Value?.[0];
  if (typeof value === "string") return value.trim();
  if (typeof value === "number") return String(value);
  if (value && typeof value === "object" && "Alphabetic" in value) return String(value.Alphabetic);
  return "";
}

/** All values as numbers; servers write DS and IS both as numbers and as strings. */
export function numbers(data: DataSet, tag: string): number[] {
  return (data[tag]?.Value ?? []).map((value) => Number(value)).filter((value) => Number.isFinite(value));
}

/** First value as a number. */
export function number(data: DataSet, tag: string): number | null {
  return numbers(data, tag)[0] ?? null;
}

/** Items of a sequence. */
export function items(data: DataSet, tag: string): DataSet[] {
  return (data[tag]?.Value ?? []).filter((item): item is DataSet => typeof item === "object" && item !== null);
}
