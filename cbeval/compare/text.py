"""Numbers and foreign names as text, the same in tables and in gate verdicts."""


def plain(text: str) -> str:
    """The text without control and other unprintable characters, which could drive a terminal or break an XML file."""
    return "".join(mark if mark.isprintable() else "\N{REPLACEMENT CHARACTER}" for mark in text)


def percent(value: float | None) -> str:
    """A proportion in percent with one decimal; a dash for None."""
    return "-" if value is None else f"{100 * value:.1f}"


def p_text(p: float) -> str:
    """A p value with three decimals, or '<.001'."""
    return "<.001" if p < 0.001 else f"{p:.3f}"
