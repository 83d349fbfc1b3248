"""From rows to view models, one noun a file. No decision is made here that the API does not make too."""
