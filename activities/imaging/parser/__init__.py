"""Reading files that strangers made, in a child process that can reach nothing.

``pool`` and ``results`` belong to this process; ``child`` and what it imports run confined. Both know ``wire``,
``limits`` and ``problems``.
"""
