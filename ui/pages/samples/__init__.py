"""Invented people, cases and reports for the styleguide. No person or practice in here exists."""
