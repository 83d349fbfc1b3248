/** Stands in for xmlbuilder2, which the imaging libraries import and the viewer never calls. */
export function create(): never {
  throw new Error("XML documents are not built in the viewer.");
}
