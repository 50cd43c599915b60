"""Counts with their nouns, for messages: "1 sample", "2 samples"."""


def counted(number: int, singular: str, plural: str = "") -> str:
    """Return a number and the form of the noun that agrees with it.

    Args:
        number: How many; thousands are separated by commas.
        singular: The noun, or a phrase that begins with it, after the number one: "sample is".
        plural: The same after all other numbers: "samples are" (default: ``singular`` + "s").
    """
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"
