import { expect, test } from "vitest";
import { Tag, text, type DataSet } from "./dicom_json";
import { holds, inReadingOrder, keyOf, nameOf, stackFrom, type Reading, type Series } from "./series";

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

const READING: Reading = { id: "ser_1", name: "", note: "", teeth: [], isApart: false, movedIn: [], movedAway: new Set() };
const at = (uid: string, n: number, z: number): DataSet =>
  instance(uid, {
    [Tag.InstanceNumber]: [n],
    [Tag.ImageOrientationPatient]: [1, 0, 0, 0, 1, 0],
    [Tag.ImagePositionPatient]: [0, 0, z],
  });
const moved = (instances: DataSet[]) => [{ base: "/d/studies/9/series/9.1", study: "9", series: "9.1", cameFrom: "Stray", instances }];
const read = (own: DataSet[], others: DataSet[]): string[] =>
  stackFrom("/d/studies/1/series/1.2", SERIES, own, moved(others)).frames.map((one) => one.instance);

test("a slice that was moved here stands where it is in space, whatever its number, in the direction of the series", () => {
  expect(read([at("a", 1, 0), at("b", 2, 1), at("d", 3, 3)], [at("c", 1, 2)])).toEqual(["a", "b", "c", "d"]);
  expect(read([at("d", 1, 3), at("b", 2, 1), at("a", 3, 0)], [at("c", 900, 2)])).toEqual(["d", "c", "b", "a"]);
  expect(read([], [at("y", 2, 1), at("x", 9, 0)])).toEqual(["x", "y"]);
});

test("projections that were moved here follow the series' own", () => {
  const one = (uid: string, n: number): DataSet => instance(uid, { [Tag.InstanceNumber]: [n] });
  expect(read([one("b", 7), one("a", 6)], [one("d", 3), one("c", 1)])).toEqual(["a", "b", "d", "c"]);
});

test("a moved image is fetched, marked and measured as the image that it came as", () => {
  const { frames, metadata } = stackFrom("/d/studies/1/series/1.2", SERIES, [instance("a", {})], moved([instance("m", {})]));
  expect(frames.map(({ imageId, study, series, cameFrom }) => [imageId, study, series, cameFrom])).toEqual([
    ["wadors:/d/studies/1/series/1.2/instances/a/frames/1", "1", "1.2", ""],
    ["wadors:/d/studies/9/series/9.1/instances/m/frames/1", "9", "9.1", "Stray"],
  ]);
  expect(text(metadata.get("m") ?? {}, Tag.FrameOfReferenceUID)).toBe("9.1");
});

test("an image is found in the series in which it is read", () => {
  const image = { study_uid: "9", series_uid: "9.1", instance_uid: "m", came_from: "Stray" };
  const target: Series = { ...SERIES, reading: { ...READING, movedIn: [image] } };
  const source: Series = { ...SERIES, study: "9", uid: "9.1", reading: { ...READING, id: "ser_2", movedAway: new Set(["m"]) } };
  const apart: Series = { ...SERIES, uid: "9.1", reading: { ...READING, id: "sty_1", isApart: true } };
  expect([target, source, apart].map((one) => holds(one, { series: "9.1", instance: "m" }))).toEqual([true, false, false]);
  expect([target, source, apart].map((one) => holds(one, { series: "9.1", instance: "n" }))).toEqual([false, true, false]);
  expect([target, source, apart].map(keyOf)).toEqual(["1.2", "9.1", "sty_1"]);
  expect(nameOf({ ...SERIES, reading: { ...READING, name: "First visit" } })).toBe("First visit");
});
