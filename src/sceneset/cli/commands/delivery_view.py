"""`sceneset add --view`: pictures of a delivery before it is added."""

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sceneset.catalog.reader import Catalog
    from sceneset.delivery.types import Delivery


def draw_delivery(args: argparse.Namespace, catalog: "Catalog", delivery: "Delivery") -> None:
    """Draw samples of a delivery: evenly spread ones, or with --rule those with its findings."""
    from sceneset.cli.language import translate
    from sceneset.cli.output import say
    from sceneset.cli.picture_sheets import (
        MOST,
        draw,
        finding_texts,
        language,
        limit_of,
        new_sheet,
        shown_findings,
        side_of,
        write_sheet,
    )
    from sceneset.reporting.delivery_entries import delivery_entries, delivery_keys, spread

    found = finding_texts(shown_findings(delivery.findings, args))
    texts = {(phase, stem): lines for (_, phase, stem), lines in found.items()}
    keys = delivery_keys(delivery)
    if args.shown_rule:
        keys = [key for key in keys if (str(key[0]), key[1]) in texts]
        shown = keys[: limit_of(args, len(keys))]
    else:
        shown = spread(keys, MOST)
    if not shown:
        say(f"the delivery has no image that can be shown; {args.view} was not written")
        return
    side = side_of(args.view, None)
    entries = delivery_entries(catalog, delivery, shown, language=language(), texts=texts)
    cards = draw(entries, catalog, side=side)
    drawn, total = len(cards), len(keys)
    count = translate(
        f"{drawn:,} of {total:,} samples with findings"
        if args.shown_rule
        else f"{drawn:,} of {total:,} samples"
    )
    sheet = new_sheet(args.name, cards, [count])
    write_sheet(args.view, sheet, side, opens=args.open)
