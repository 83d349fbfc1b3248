import { expect, test } from "vitest";
import { Tag, type DataSet } from "./dicom_json";
import { cautions, lengthWords, spacingOf, withUsableSpacing } from "./spacing";

const of = (modality: string, values: Record<string, unknown[]>): DataSet => ({
  [Tag.Modality]: { vr: "CS", Value: [modality] },
  ...Object.fromEntries(Object.entries(values).map(([tag, Value]) => [tag, { Value }])),
});

test("pixel spacing of a cross-section is in the patient", () => {
  expect(spacingOf(of("CT", { [Tag.PixelSpacing]: [0.25, 0.25] }))).toEqual({ provenance: "patient", rowsColumns: [0.25, 0.25] });
});

test("pixel spacing of an enhanced multi-frame object is read from its functional groups", () => {
  const measures = { [Tag.PixelMeasuresSequence]: { Value: [{ [Tag.PixelSpacing]: { Value: ["0.3", "0.3"] } }] } };
  expect(spacingOf(of("CT", { [Tag.SharedFunctionalGroupsSequence]: [measures] })).rowsColumns).toEqual([0.3, 0.3]);
});

test.each([
  ["stated method", { [Tag.PixelSpacing]: [0.1, 0.1], [Tag.PixelSpacingCalibrationType]: ["FIDUCIAL"] }, "calibrated"],
  ["differs from the detector's", { [Tag.PixelSpacing]: [0.08, 0.08], [Tag.ImagerPixelSpacing]: [0.1, 0.1] }, "calibrated"],
  ["equals the detector's", { [Tag.PixelSpacing]: [0.1, 0.1], [Tag.ImagerPixelSpacing]: [0.1, 0.1] }, "detector"],
  ["detector only", { [Tag.ImagerPixelSpacing]: [0.1, 0.1] }, "detector"],
  ["of unknown origin", { [Tag.PixelSpacing]: [0.1, 0.1] }, "unknown"],
  ["zero", { [Tag.PixelSpacing]: [0, 0] }, "pixels"],
  ["absent", {}, "pixels"],
])("a projection's spacing: %s", (_name, values, provenance) => {
  expect(spacingOf(of("IO", values)).provenance).toBe(provenance);
});

test("a known magnification brings the detector's spacing back to the anatomy", () => {
  const spacing = spacingOf(of("DX", { [Tag.ImagerPixelSpacing]: [0.12, 0.12], [Tag.EstimatedRadiographicMagnificationFactor]: [1.2] }));
  expect(spacing.provenance).toBe("calibrated");
  expect(spacing.rowsColumns?.[0]).toBeCloseTo(0.1);
});

test("zero spacing is taken out of what the image library gets, also inside functional groups", () => {
  const zero = { Value: [0, 0] };
  const data = of("PX", { [Tag.PixelSpacing]: [0, 0] });
  data[Tag.SharedFunctionalGroupsSequence] = { Value: [{ [Tag.PixelMeasuresSequence]: { Value: [{ [Tag.PixelSpacing]: zero }] } }] };
  const usable = withUsableSpacing(data);
  expect(usable[Tag.PixelSpacing]).toBeUndefined();
  expect(JSON.stringify(usable)).not.toContain("[0,0]");
  expect(data[Tag.PixelSpacing]?.Value).toEqual([0, 0]);
});

test("a length says what it cannot promise", () => {
  const calibrated = { provenance: "calibrated", rowsColumns: [0.1, 0.1] } as const;
  expect(lengthWords(12.34, { ...calibrated, rowsColumns: [0.1, 0.1] }, "IO")).toBe("12.3 mm");
  expect(lengthWords(12.34, { provenance: "detector", rowsColumns: [0.1, 0.1] }, "IO")).toBe("12.3 mm, uncalibrated");
  expect(lengthWords(12.34, { provenance: "calibrated", rowsColumns: [0.1, 0.1] }, "PX")).toContain("magnified");
  expect(lengthWords(80.4, { provenance: "pixels", rowsColumns: null }, "PX")).toBe("80 px, uncalibrated");
});

test("a line that is not measured yet says nothing", () => {
  for (const none of [null, undefined, Number.NaN]) {
    expect(lengthWords(none, { provenance: "patient", rowsColumns: [0.2, 0.2] }, "CT")).toBe("");
  }
});

test("cone-beam and panoramic images carry their caution, a spiral CT does not", () => {
  expect(cautions(of("CT", {}))).toHaveLength(1);
  expect(cautions(of("PX", {}))).toHaveLength(1);
  expect(cautions(of("CT", { [Tag.SpiralPitchFactor]: [0.8] }))).toEqual([]);
});
