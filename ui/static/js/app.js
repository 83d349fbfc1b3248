// What every page has: each module enhances what is there and does nothing where its element is missing.
import "./autosave.js";
import "./clock.js";
import "./dialog.js";
import "./forms.js";
import "./keyboard.js";
import "./offline.js";
import "./panels.js";
import "./report-items.js";
import "./toast.js";
