/** What the page says in `data-…` attributes. */
export interface Settings {
  caseId: string;
  studies: string[];
  root: string;
  annotations: string;
  files: string;
  /** The order in which the images are read, with names and headings; empty: as DICOMweb lists the studies. */
  series: string;
  /** The series that is opened first; empty: the first of the list. */
  first: string;
  keyImages: string;
  /** Nothing that writes is offered, and a reader's saved view is left alone. */
  readonly: boolean;
  /** `data-audience="patient"`: few tools, plain words, no figures. */
  patient: boolean;
}

/** Reads the mount point's attributes; what is absent follows from the case. */
export function settingsOf(root: HTMLElement): Settings {
  const { dataset } = root;
  const caseId = dataset.caseId ?? "";
  const ofCase = (what: string): string => (caseId ? `/api/v1/cases/${encodeURIComponent(caseId)}/${what}` : "");
  return {
    caseId,
    studies: (dataset.study ?? "").split(",").map((uid) => uid.trim()).filter(Boolean),
    root: (dataset.root ?? "/dicomweb").replace(/\/$/, ""),
    annotations: dataset.annotations ?? ofCase("annotations"),
    files: dataset.files ?? ofCase("files"),
    series: dataset.series ?? "",
    first: dataset.first ?? "",
    keyImages: dataset.keyImages ?? ofCase("key-images"),
    readonly: dataset.audience === "patient" || (dataset.readonly !== undefined && dataset.readonly !== "false"),
    patient: dataset.audience === "patient",
  };
}
