import { getJson } from "../shared/http";
import { t } from "../shared/words";
import { isDocument, isPhoto, type OpenFile, type Picture } from "./files";
import type { MovedImage, Series } from "./series";

/** A series as the server tells that it is read (`GET …/series`). */
interface SeriesEntry {
  kind: "series";
  id: string;
  study_uid: string;
  series_uid: string;
  modality: string;
  number: number | null;
  description: string;
  name: string;
  note: string;
  teeth: string[];
  images: number;
  thumbnail_url: string;
  is_apart: boolean;
  moved_in: MovedImage[];
  moved_away: string[];
}

/** A photograph or a document; `pictures` are photographs that are read together. */
interface FileEntry {
  kind: "file";
  id: string;
  file_kind: string;
  name: string;
  note: string;
  teeth: string[];
  size: number;
  url: string | null;
  thumbnail_url: string | null;
  pictures: Picture[];
}

interface Answer {
  groups: { name: string | null; entries: (SeriesEntry | FileEntry)[] }[];
}

/** What stands under one heading, in order; `name` null: under none. */
export interface Group {
  name: string | null;
  entries: ({ series: Series } | { file: OpenFile })[];
}

/** The case's images in the practice's order, under its headings and names. */
export async function listReading(url: string): Promise<Group[]> {
  const { groups } = await getJson<Answer>(url);
  return groups.map(({ name, entries }) => ({
    name,
    entries: entries.flatMap((entry): Group["entries"] => (entry.kind === "series" ? [{ series: seriesFrom(entry) }] : fileFrom(entry))),
  }));
}

/** All series of the groups, in order. */
export function seriesIn(groups: Group[]): Series[] {
  return groups.flatMap(({ entries }) => entries.flatMap((entry) => ("series" in entry ? [entry.series] : [])));
}

function seriesFrom(entry: SeriesEntry): Series {
  return {
    study: entry.study_uid,
    uid: entry.series_uid,
    modality: entry.modality,
    description: entry.description,
    number: entry.number ?? Number.MAX_SAFE_INTEGER,
    instances: entry.images,
    thumbnail: entry.thumbnail_url,
    reading: {
      id: entry.id,
      name: entry.name,
      note: entry.note,
      teeth: entry.teeth,
      isApart: entry.is_apart,
      movedIn: entry.moved_in,
      movedAway: new Set(entry.moved_away),
    },
  };
}

function fileFrom(entry: FileEntry): { file: OpenFile }[] {
  const { url } = entry;
  const pictures = entry.pictures.filter((picture) => picture.url !== null);
  const name = entry.name || t("Photograph");
  const file = { id: entry.id, name, kind: entry.file_kind, size: entry.size, url, thumbnail_url: entry.thumbnail_url };
  if (url === null || !(isPhoto(file) || isDocument(file))) return [];
  return [{ file: { ...file, url, pictures, note: entry.note, teeth: entry.teeth } }];
}
