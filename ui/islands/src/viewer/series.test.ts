import { expect, test } from "vitest";
import { Tag, text, type DataSet } from "./dicom_json";
import { inReadingOrder, stackFrom, type Series } from "./series";

const SERIES: Series = { study: "1", uid: "1.2", modality: "CT", description: "", number: 1, instances: 0, thumbnail: "" };

function instance(uid: string, values: Record<string, unknown[]>): DataSet {
  return {
    [Tag.SOPInstanceUID]: { Value: [uid] },
    [Tag.Rows]: { Value: [4] },
    ...Object.fromEntries(Object.entries(values).map(([tag, Value]) => [tag, { Value }])),
  };
}
const order = (list: DataSet[]): string[] => inReadingOrder(list).map((data) => text(data, Tag.SOPInstanceUID));

test("instances are read by their number, not as text and not as the server lists them", () => {
  expect(order([10, 9, 1].map((n) => instance(`i${n}`, { [Tag.InstanceNumber]: [n] })))).toEqual(["i1", "i9", "i10"]);
});

test("where numbers repeat, the position along the slices' normal decides", () => {
  const at = (z: number): DataSet =>
    instance(`z${z}`, {
      [Tag.InstanceNumber]: [1],
      [Tag.ImageOrientationPatient]: [1, 0, 0, 0, 1, 0],
      [Tag.ImagePositionPatient]: [0, 0, z],
    });
  expect(order([at(3), at(-2), at(0.5)])).toEqual(["z-2", "z0.5", "z3"]);
});

test("a multi-frame instance is as many pictures, numbered from one", () => {
  const stack = stackFrom("/dicomweb/studies/1/series/1.2", SERIES, [instance("m", { [Tag.NumberOfFrames]: ["3"] })]);
  expect(stack.imageIds).toEqual([1, 2, 3].map((n) => `wadors:/dicomweb/studies/1/series/1.2/instances/m/frames/${n}`));
});

test("instances without pixels are left out", () => {
  const report: DataSet = { [Tag.SOPInstanceUID]: { Value: ["sr"] } };
  expect(stackFrom("", SERIES, [report, instance("a", {})]).frames.map((one) => one.instance)).toEqual(["a"]);
});

test("projections without a frame of reference get their series for one, so that marks have a place", () => {
  const stack = stackFrom("", SERIES, [instance("a", {})]);
  expect(text(stack.metadata.get("a") ?? {}, Tag.FrameOfReferenceUID)).toBe("1.2");
});
