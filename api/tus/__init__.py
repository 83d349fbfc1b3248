"""Resumable uploads (https://tus.io/protocols/resumable-upload, version 1.0.0)."""
