"""The `facenorm` command.

An entry point like app.py: it alone in core may import db, and heavy modules are imported
inside the commands, so that `facenorm --help` answers at once.
"""

from __future__ import annotations

from typing import Any

import click

from core.cli import (
    analyse,
    erase,
    exclude,
    export,
    fit,
    identity,
    install,
    models,
    rate,
    recruit,
    simulate,
    study,
)
from core.errors import FacenormError


class Commands(click.Group):
    """A group whose commands end with one clear line and exit code 1 where a user can mend something."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List them in the order in which one needs them."""
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a FacenormError is a message, not a traceback."""
        try:
            return super().invoke(ctx)
        except FacenormError as error:
            raise click.ClickException(str(error)) from error


HELP = """Norm facial-expression stimuli: people rate faces, vision models rate the same faces.

\b
A study from its file to its tables:
  facenorm study check my-study.yaml    is the file right? names line and mend
  facenorm study load my-study.yaml     store it as a version
  facenorm study open my-study          let participants in (--phase pilot to try)
  facenorm rate --study my-study        let vision models rate the same stimuli
  facenorm export my-study --out DIR    ratings, norms and codebook as CSV
\b
Pictures without a study:
  facenorm rate FOLDER --out ai.csv
  facenorm identity FOLDER --manifest manifest.csv --out DIR    still the same person?
\b
Ratings from anywhere:
  facenorm analyse ratings.csv --rater COL --stimulus COL --scales a,b --out DIR

Settings come from the environment: FACENORM_DATA (folder of database and backups),
FACENORM_DATABASE_URL (PostgreSQL instead of SQLite), FACENORM_MODELS (folders with weights),
FACENORM_SECRET (what replicas share).
Exit code 0: done. 1: something to mend, said in one line. 2: the command was misspelt.
3: rated, and some pictures got no rating.
"""

main = Commands(
    "facenorm", help=HELP, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
click.version_option(package_name="facenorm")(main)
for command in (
    install.init,
    install.serve,
    install.researcher,
    study.study,
    recruit.codes,
    recruit.external,
    models.models,
    rate.rate,
    identity.identity,
    fit.fit,
    simulate.simulate,
    exclude.exclude,
    erase.erase,
    export.export,
    analyse.analyse,
    install.backup,
    install.restore,
):
    main.add_command(command)
