import { getJson } from "../shared/http";

/** A file of the case that is no DICOM series: a photograph or a document. */
export interface CaseFile {
  id: string;
  name: string;
  kind: string;
  size: number;
  /** Null until the file was checked. */
  url: string | null;
  thumbnail_url: string | null;
}

/** Whether the viewer can show it as a picture. */
export function isPhoto(file: CaseFile): boolean {
  return /^(photo|photograph|image|image\/(jpeg|png|webp|gif)|jpeg|jpg|png)$/i.test(file.kind);
}

/** Whether it opens beside the viewer, as PDF. */
export function isDocument(file: CaseFile): boolean {
  return /pdf|document/i.test(file.kind);
}

/** One of several photographs that are read together. */
export interface Picture {
  id: string;
  name: string;
  url: string | null;
  thumbnail_url: string | null;
}

/** A file that can be opened; a photograph with those that are read together with it, itself the first. */
export type OpenFile = CaseFile & { url: string; pictures?: Picture[]; note?: string; teeth?: string[] };

/** Photographs and documents of the case that were checked; DICOM files are shown by series and left out here. */
export async function listFiles(url: string): Promise<OpenFile[]> {
  const { items } = await getJson<{ items: CaseFile[] }>(url);
  return items.filter((file): file is OpenFile => file.url !== null && (isPhoto(file) || isDocument(file)));
}
