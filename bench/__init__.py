"""The benchmarks of docs/performance.md. Each measures a figure beside its anchor: same machine, same minute, same durability.

``python -m bench`` runs them all, ``python -m bench P1 P4`` some; ``--write`` puts the table into docs/performance.md.
"""
