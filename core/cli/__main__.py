"""`python -m core.cli` is `facenorm`."""

from core.cli import main

main(prog_name="facenorm")
