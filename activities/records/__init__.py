"""The record of a case in the database: what is committed here is what happened."""
