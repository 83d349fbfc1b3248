// The report editor's fields as the draft that the API takes, and what differs between two drafts. Fields are named by their
// path ("findings.0.text"); ui/assemble/report_form.py does the same for a browser without scripts.

const NOT_CONTENT = new Set(["etag", "content", "addendum"]);

/** One field's value as the draft holds it; undefined when it is empty. */
function valueOf(field) {
  if ((field.type === "radio" || field.type === "checkbox") && !field.checked) return undefined;
  const text = field.value.trim();
  if (text === "") return undefined;
  const name = field.name.split(".").at(-1);
  if (name === "teeth") return text.split(/[\s,]+/).filter(Boolean);
  if (field.type === "datetime-local") return new Date(text).toISOString();
  return text;
}

/** Branches whose names are numbers become lists, without the numbers that are missing. */
function dense(node) {
  if (node === null || typeof node !== "object" || Array.isArray(node)) return node;
  const names = Object.keys(node);
  if (names.length && names.every((name) => /^\d+$/.test(name))) {
    return names.map(Number).sort((a, b) => a - b).map((name) => dense(node[name]));
  }
  return Object.fromEntries(names.map((name) => [name, dense(node[name])]));
}

const isUntouched = (finding) => Object.entries(finding).every(([name, value]) => name === "id" || (name === "criticality" && value === "none"));

/** Named fields → {content, addendum}. While an addendum is written, the signed text goes back as it came. */
export function toDraft(fields) {
  const tree = {};
  let addendum = "";
  let signed = "";
  for (const field of fields) {
    if (!field.name || field.disabled) continue;
    if (field.name === "addendum") addendum = field.value;
    if (field.name === "content") signed = field.value;
    if (NOT_CONTENT.has(field.name)) continue;
    const value = valueOf(field);
    if (value === undefined) continue;
    const parts = field.name.split(".");
    let at = tree;
    for (const part of parts.slice(0, -1)) at = at[part] ??= {};
    at[parts.at(-1)] = value;
  }
  if (signed) return { content: JSON.parse(signed), addendum };
  const content = dense(tree);
  if (content.findings) content.findings = content.findings.filter((finding) => !isUntouched(finding));
  if (content.key_images) content.key_images = content.key_images.filter((image) => "image_id" in image);
  return { content, addendum };
}

function leaves(node, path, found) {
  if (node === null || node === undefined || node === "" || node === false) return found;
  if (Array.isArray(node) && node.every((item) => typeof item !== "object")) {
    if (node.length) found.set(path, node.join(", "));
  } else if (typeof node === "object") {
    for (const [name, child] of Object.entries(node)) leaves(child, path ? `${path}.${name}` : name, found);
  } else found.set(path, String(node));
  return found;
}

const QUIET = /(^|\.)(id|code|scope|purpose|criticality|modality)$/;

/** Where two drafts differ: [{path, theirs, mine}], in the order of the report. */
export function differences(theirs, mine) {
  const [a, b] = [theirs, mine].map((draft) => leaves(draft.content, "", new Map(draft.addendum ? [["addendum", draft.addendum]] : [])));
  return [...new Set([...a.keys(), ...b.keys()])]
    .filter((path) => a.get(path) !== b.get(path) && !(QUIET.test(path) && !(a.has(path) && b.has(path))))
    .map((path) => ({ path, theirs: a.get(path) ?? "", mine: b.get(path) ?? "" }));
}
