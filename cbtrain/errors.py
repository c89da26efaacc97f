"""Errors that users see: one line that says what was wrong, where, and what to do."""


class CbtrainError(Exception):
    """Something failed that the user can mend (exit code 1)."""

    exit_code = 1


class DataError(CbtrainError):
    """A row, file or option of the training data makes no sense (exit code 2)."""

    exit_code = 2
