"""What a command tells of its progress where there is no terminal: the packages' logs, on standard error."""

import contextlib
import logging
from collections.abc import Iterator

import click

PACKAGES = ("bimt_train", "bimt_analyze")


class _Echo(logging.Handler):
    """Writes to what is standard error at that moment, which a progress bar may have taken over."""

    def emit(self, record: logging.LogRecord) -> None:
        click.echo(self.format(record), err=True)


@contextlib.contextmanager
def shown_logs(*, progress: bool, times: bool = True) -> Iterator[None]:
    r"""While inside, warnings of both packages stand on standard error, and on request their progress.

    The packages log under their own names and print nothing; a program that imports them attaches its own handlers.

    Parameters
    ----------
    progress : bool
        Whether to show what is done now, too.
    times : bool, default True
        Whether each line begins with the time.

    Examples
    --------
    >>> import contextlib, io, logging
    >>> with contextlib.redirect_stderr(io.StringIO()) as said, shown_logs(progress=True):
    ...     logging.getLogger("bimt_train.training").info("step %d", 5)
    >>> said.getvalue().split(maxsplit=1)[1]
    'step 5\n'
    """
    handler = _Echo()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s" if times else "%(message)s", datefmt="%H:%M:%S"))
    loggers = [logging.getLogger(name) for name in PACKAGES]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.INFO if progress else logging.WARNING)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.removeHandler(handler)
            logger.setLevel(level)
