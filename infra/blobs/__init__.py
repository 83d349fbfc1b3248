"""Encrypted files: the interface (``store``), the record format (``records``) and the stores."""
