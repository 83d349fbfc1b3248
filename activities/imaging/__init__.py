"""Images of a case: reading files in a confined process, recording them, image sets, frames and previews."""
