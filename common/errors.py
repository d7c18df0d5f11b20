"""Bad input: the exception that every command turns into one line and exit code 2."""


class InputError(Exception):
    """Bad usage or bad input.

    The message is a single line that names the bad value and says what would have been right.
    """


def text_error(text: str, name: str = "the text") -> str | None:
    """What is wrong with a text, None if it can be read."""
    if not text.strip():
        return f"{name} is empty; expected a sentence"
    try:
        text.encode()
    except UnicodeEncodeError as error:  # half of a surrogate pair, or bytes from the shell
        return f"{name} is not UTF-8 text ({error.reason})"
    return None
