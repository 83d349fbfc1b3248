"""Synthetic studies and the demo practice made of them. Nothing in here comes from a person."""
