"""The report as a PDF: its model, its templates, and the separate process that lays it out."""
