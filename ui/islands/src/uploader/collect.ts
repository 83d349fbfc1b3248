/** A file and where it lay: `path` is relative to what the person dropped, with `/`, and starts with the folder's name. */
export interface Picked {
  file: File;
  path: string;
}

/** What one drop or one choice brought, and how many files were left out because they can hold no image. */
export interface Collected {
  picked: Picked[];
  leftOut: number;
}

const SYSTEM = /^(\..*|thumbs\.db|desktop\.ini|ehthumbs\.db|autorun\.inf)$/i;
/** A patient CD carries its own viewer; sending those programs would only earn a refusal for each. */
const PROGRAM = /\.(exe|dll|bat|cmd|com|msi|sys|ocx|so|dylib|lnk|ini|inf|chm|hlp|jar|manifest)$/i;

/** Whether the name is that of a system file or a program. */
export function isClutter(path: string): boolean {
  const parts = path.split("/");
  const name = parts.at(-1) ?? "";
  return parts.includes("__MACOSX") || parts.some((part) => part.startsWith(".")) || SYSTEM.test(name) || PROGRAM.test(name);
}

/** Separates what can be sent from what can hold no image. */
export function sift(all: Picked[]): Collected {
  const picked = all.filter(({ path }) => !isClutter(path));
  return { picked, leftOut: all.length - picked.length };
}

/** Files of an `<input type="file">`, with or without `webkitdirectory`. */
export function fromInput(files: FileList): Collected {
  return sift([...files].map((file) => ({ file, path: file.webkitRelativePath || file.name })));
}

/**
 * Files and folders of a drop. The entries are taken synchronously, because the browser empties the drop's list when the
 * event handler returns; the folders are walked afterwards.
 */
export function fromDrop(transfer: DataTransfer): Promise<Collected> {
  const entries = [...transfer.items]
    .filter((item) => item.kind === "file")
    .map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile());
  return walkAll(entries);
}

async function walkAll(entries: (FileSystemEntry | File | null)[]): Promise<Collected> {
  const all: Picked[] = [];
  for (const entry of entries) {
    if (entry instanceof File) all.push({ file: entry, path: entry.name });
    else if (entry) await walk(entry, all);
  }
  return sift(all);
}

async function walk(entry: FileSystemEntry, into: Picked[]): Promise<void> {
  const path = entry.fullPath.replace(/^\//, "");
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    into.push({ file, path });
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  // A reader hands out at most some hundred entries at a time: it is read until it answers with none.
  for (;;) {
    const batch = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (batch.length === 0) return;
    for (const child of batch) await walk(child, into);
  }
}

/** The folder a file is shown under: what the person dropped by name, or "" for loose files. */
export function folderOf(path: string): string {
  const slash = path.indexOf("/");
  return slash < 0 ? "" : path.slice(0, slash);
}
