"""``python -m worker``: the ``odontoflow`` command."""

from worker.cli import main

if __name__ == "__main__":
    main()
