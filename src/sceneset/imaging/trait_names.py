"""Names of the traits of a file: short texts that a scan stores and that rules evaluate."""

GPS, BROKEN, TRAILING, PROGRESSIVE = "gps", "broken metadata", "trailing bytes", "progressive"
PERSONAL, PROFILE, FRAMES = "personal: ", "profile: ", "frames: "
"""Prefixes of traits with a value, for example ``personal: XMP``."""
ORIENTATION = "orientation: "
"""Prefix of the trait of a mask that has an orientation of its own."""
