"""`python -m imserver`."""

from imserver.cli import main

if __name__ == "__main__":
    main()
