"""Text from files on a terminal: one line, nothing that the terminal would obey."""

import unicodedata


def one_line(text: str) -> str:
    """The text with white space collapsed, and control and format characters (escape sequences, bidi) left out."""
    return "".join(c for c in " ".join(text.split()) if unicodedata.category(c) not in {"Cc", "Cf", "Cs"})
