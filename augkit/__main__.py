"""``python -m augkit``."""

from augkit.cli import main

if __name__ == "__main__":
    main()
