"""``python -m songnet_utils.cli`` is the same as ``songnet``."""

from songnet_utils.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
