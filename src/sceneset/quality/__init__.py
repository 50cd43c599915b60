"""Rules on samples, subsets and splits; those on single samples are in the room ``rules``.

To add a rule, write three things:

1. Its text: a ``Rule`` with code, default severity, meaning and help, in ``schemas/rules/``.
2. Its code, here unless the rule is about reading a file:

   - one sample, from its scan row: ``SAMPLE_RULES`` in ``rules/sample_rules.py``, or
     ``rules/person_rules.py``; add the latter to ``rules/broken_samples.py``
   - samples of a full or a crop subset: ``kind_rules.py``
   - tags against the scene table and the images: ``tag_rules.py``
   - files of a registered subset against each other: ``consistency.py``
   - samples against each other: ``leakage.py``
   - decoding images and masks: ``imaging/decode.py`` and ``imaging/facts.py``
   - folders of a delivery: ``catalog/subset_folder.py``; its split files: ``delivery/``

3. Its test: rules on files get an entry in ``BREAKS`` in ``tests/support/rule_breaks.py``,
   others a test in the folder of their code. A rule that no test names fails the tests.

Then run ``make generated``, which writes docs/problems.md from the texts.
"""
