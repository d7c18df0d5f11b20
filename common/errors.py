"""The one exception that every command turns into one line and exit code 2."""


class InputError(Exception):
    """Bad usage or bad input.

    The message is a single line that names the bad value and says what would have been right.
    """
