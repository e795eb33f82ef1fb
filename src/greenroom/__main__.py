"""`python -m greenroom` is the same as `greenroom`."""

from greenroom.cli import main

if __name__ == "__main__":
    main(prog_name="greenroom")
