import { items, number, numbers, Tag, text, type DataSet } from "./dicom_json";
import { t } from "../shared/words";

/**
 * Where a length on this image comes from.
 * - `patient`: pixel spacing of a cross-sectional image, in the patient.
 * - `calibrated`: a projection whose spacing was corrected by a stated method (PS3.3 §10.7.1.3).
 * - `detector`: spacing at the detector; the anatomy is smaller than it measures there.
 * - `unknown`: a spacing without a word about its origin.
 * - `pixels`: no usable spacing; lengths are counts of pixels.
 */
export type Provenance = "patient" | "calibrated" | "detector" | "unknown" | "pixels";

export interface Spacing {
  provenance: Provenance;
  /** mm between rows and between columns; null when lengths are in pixels. */
  rowsColumns: [number, number] | null;
}

const CROSS_SECTIONAL = new Set(["CT", "MR", "PT"]);

function usable(values: number[]): [number, number] | null {
  const [row, column] = values;
  return row !== undefined && column !== undefined && row > 0 && column > 0 ? [row, column] : null;
}

function close(a: [number, number], b: [number, number]): boolean {
  return Math.abs(a[0] - b[0]) < 1e-6 && Math.abs(a[1] - b[1]) < 1e-6;
}

function storedSpacing(data: DataSet): number[] {
  const own = numbers(data, Tag.PixelSpacing);
  if (own.length > 0) return own;
  for (const groups of [Tag.SharedFunctionalGroupsSequence, Tag.PerFrameFunctionalGroupsSequence]) {
    const measures = items(items(data, groups)[0] ?? {}, Tag.PixelMeasuresSequence)[0];
    if (measures) return numbers(measures, Tag.PixelSpacing);
  }
  return [];
}

/** Reads spacing with its provenance, as PS3.3 §10.7.1.3 tells calibrated from detector spacing. */
export function spacingOf(data: DataSet): Spacing {
  const pixel = usable(storedSpacing(data));
  const imager = usable(numbers(data, Tag.ImagerPixelSpacing));
  if (pixel && CROSS_SECTIONAL.has(text(data, Tag.Modality))) return { provenance: "patient", rowsColumns: pixel };
  if (pixel) {
    if (text(data, Tag.PixelSpacingCalibrationType)) return { provenance: "calibrated", rowsColumns: pixel };
    // The same values as at the detector: nobody corrected them.
    if (imager) return { provenance: close(pixel, imager) ? "detector" : "calibrated", rowsColumns: pixel };
    return { provenance: "unknown", rowsColumns: pixel };
  }
  if (imager) {
    const factor = number(data, Tag.EstimatedRadiographicMagnificationFactor);
    if (factor !== null && factor > 1) {
      return { provenance: "calibrated", rowsColumns: [imager[0] / factor, imager[1] / factor] };
    }
    return { provenance: "detector", rowsColumns: imager };
  }
  return { provenance: "pixels", rowsColumns: null };
}

/** What is written on the image about its lengths. */
export function provenanceWords(spacing: Spacing): string {
  switch (spacing.provenance) {
    case "patient":
    case "calibrated":
      return t("Lengths: calibrated");
    case "detector":
      return t("Lengths: uncalibrated, at the detector");
    case "unknown":
      return t("Lengths: uncalibrated, spacing of unknown origin");
    case "pixels":
      return t("Lengths: uncalibrated, in pixels");
  }
}

/**
 * A length as it is written beside its line. `length` is in mm, or in pixels where there is no spacing; the library says
 * null for a line that it has not measured yet, which is written as nothing.
 */
export function lengthWords(length: number | null | undefined, spacing: Spacing, modality: string): string {
  if (length === null || length === undefined || Number.isNaN(length)) return "";
  if (spacing.rowsColumns === null) return t("{n} px, uncalibrated", { n: length.toFixed(0) });
  const mm = length.toFixed(1);
  // DOMAIN: a panoramic view magnifies and distorts, whatever its header says about spacing.
  if (modality === "PX") return t("{n} mm, panoramic: magnified", { n: mm });
  return spacing.provenance === "patient" || spacing.provenance === "calibrated"
    ? t("{n} mm", { n: mm })
    : t("{n} mm, uncalibrated", { n: mm });
}

/** What must be said beside the numbers of this kind of image. */
export function cautions(data: DataSet): string[] {
  const modality = text(data, Tag.Modality);
  // A spiral scanner's CT has Hounsfield units; a cone-beam scanner's file says CT as well, but its values do not compare.
  if (modality === "CT" && number(data, Tag.SpiralPitchFactor) === null) {
    return [t("CBCT: grey values are not Hounsfield units")];
  }
  if (modality === "PX") return [t("A panoramic view magnifies and distorts")];
  return [];
}

/** A copy for the image library with a spacing that it can use: zero spacing would draw black, so it is dropped. */
export function withUsableSpacing(data: DataSet): DataSet {
  const { rowsColumns } = spacingOf(data);
  const copy: DataSet = { ...data };
  if (rowsColumns) copy[Tag.PixelSpacing] = { vr: "DS", Value: [...rowsColumns] };
  else delete copy[Tag.PixelSpacing];
  for (const groups of [Tag.SharedFunctionalGroupsSequence, Tag.PerFrameFunctionalGroupsSequence]) {
    const element = copy[groups];
    if (!element) continue;
    copy[groups] = { ...element, Value: items(copy, groups).map((item) => withoutZeroMeasures(item)) };
  }
  return copy;
}

function withoutZeroMeasures(group: DataSet): DataSet {
  const measures = items(group, Tag.PixelMeasuresSequence)[0];
  if (!measures || !measures[Tag.PixelSpacing] || usable(numbers(measures, Tag.PixelSpacing))) return group;
  const { [Tag.PixelSpacing]: _zero, ...rest } = measures;
  return { ...group, [Tag.PixelMeasuresSequence]: { vr: "SQ", Value: [rest] } };
}
