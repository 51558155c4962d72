"""Run the command line as `python -m limbstudio`."""

from limbstudio.cli import main

if __name__ == "__main__":
    main()
