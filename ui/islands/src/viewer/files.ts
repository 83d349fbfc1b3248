import { getJson } from "../shared/http";

/** A file of the case that is no DICOM series: a photograph or a document. */
export interface CaseFile {
  id: string;
  name: string;
  kind: string;
  size: number;
  url: string;
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

/** Photographs and documents of the case; DICOM files are shown by series and left out here. */
export async function listFiles(url: string): Promise<CaseFile[]> {
  const { items } = await getJson<{ items: CaseFile[] }>(url);
  return items.filter((file) => isPhoto(file) || isDocument(file));
}
