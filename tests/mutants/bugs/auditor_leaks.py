"""The auditor: the search for secrets in what our processes leave behind."""

from __future__ import annotations

from mutants.mutant import Mutant

LEAKS = "tests/unit/audit/test_audit_leaks.py"
SEARCH = "tests/integration/audit/test_audit_leaks.py"

BUGS = (
    Mutant(
        name="auditor-needle-across-pieces",
        promise=8,
        does="a token that lies across two pieces of a file is not found",
        file="deploy/audit/places.py",
        old="yield before + piece",
        new="yield piece",
        tests=(f"{LEAKS}::test_a_needle_across_two_pieces_of_a_file_is_found",),
    ),
    Mutant(
        name="auditor-folders-not-entered",
        promise=8,
        does="logs in folders of a folder are not searched",
        file="deploy/audit/places.py",
        old='for each in sorted(root.rglob("*")) if root.is_dir() else [root]:',
        new='for each in sorted(root.glob("*")) if root.is_dir() else [root]:',
        tests=(f"{LEAKS}::test_a_needle_across_two_pieces_of_a_file_is_found",),
    ),
    Mutant(
        name="auditor-leak-in-one-case",
        promise=8,
        does="a secret in capitals is not found",
        file="deploy/audit/leaks.py",
        old="text = piece.lower()",
        new="text = bytes(piece)",
        tests=(f"{LEAKS}::test_a_token_is_found_whole_in_part_and_in_any_case",),
    ),
    Mutant(
        name="auditor-part-of-a-token",
        promise=8,
        does="a token that was cut is not found",
        file="deploy/audit/needles.py",
        old='yield str(account[name]).rpartition("-")[2]',
        new="yield str(account[name]).upper()",
        tests=(f"{LEAKS}::test_a_token_is_found_whole_in_part_and_in_any_case",),
    ),
    Mutant(
        name="auditor-people-of-before",
        promise=8,
        does="what people were called before is not looked for",
        file="deploy/audit/needles.py",
        old='(*source["users"].values(), *(edit["values"] for edit in source["history"]))',
        new='source["users"].values()',
        tests=(f"{LEAKS}::test_personal_data_is_found_of_now_and_of_before_and_is_let_be_in_the_database_only",),
    ),
    Mutant(
        name="auditor-place-skipped",
        promise=8,
        does="a place that cannot be searched counts as clean",
        file="deploy/audit/leaks.py",
        old="""            yield Leak(place=place.name, customer="", secret=f"not searched: {place.why}")
            continue
""",
        new="""            continue
""",
        tests=(f"{LEAKS}::test_a_place_that_cannot_be_searched_counts_as_a_leak",),
    ),
    Mutant(
        name="auditor-closed-file-skipped",
        promise=8,
        does="a file that is closed to the search counts as clean",
        file="deploy/audit/leaks.py",
        old="""        except OSError as error:
            yield Leak(place=place.name, customer="", secret=f"not searched: {type(error).__name__}")
""",
        new="""        except OSError:
            continue
""",
        tests=(f"{LEAKS}::test_a_file_that_is_closed_to_us_counts_as_a_leak",),
    ),
    Mutant(
        name="auditor-tokens-in-the-database",
        promise=8,
        does="where people may be, tokens may be too",
        file="deploy/audit/leaks.py",
        old="return needle.secret is Secret.TOKEN or not place.holds_people",
        new="return not place.holds_people",
        tests=(f"{LEAKS}::test_a_token_is_found_whole_in_part_and_in_any_case",),
    ),
    Mutant(
        name="auditor-people-anywhere",
        promise=8,
        does="where people may not be, they are not looked for",
        file="deploy/audit/leaks.py",
        old="return needle.secret is Secret.TOKEN or not place.holds_people",
        new="return needle.secret is Secret.TOKEN",
        tests=(f"{LEAKS}::test_personal_data_is_found_of_now_and_of_before_and_is_let_be_in_the_database_only",),
    ),
    Mutant(
        name="auditor-leak-told-in-full",
        promise=8,
        does="a needle shows its value to whoever prints it",
        file="deploy/audit/needles.py",
        old="value: bytes = field(repr=False)",
        new="value: bytes = field(repr=True)",
        tests=(f"{LEAKS}::test_neither_a_leak_nor_a_needle_shows_its_value",),
    ),
    Mutant(
        name="auditor-files-of-redis-skipped",
        promise=8,
        does="the files of Redis are not searched",
        file="deploy/audit/places.py",
        old="""            yield from _files("redis", Path(settings["dir"]), holds_people=False)
""",
        new="",
        tests=(f"{SEARCH}::test_redis_is_searched_by_every_type",),
    ),
    Mutant(
        name="auditor-values-of-redis-skipped",
        promise=8,
        does="keys of Redis are searched and their values not",
        file="deploy/audit/places.py",
        old="""        yield from _flat(readers[client.type(key)](key))
""",
        new="",
        tests=(f"{SEARCH}::test_redis_is_searched_by_every_type",),
    ),
    Mutant(
        name="auditor-files-of-the-database-skipped",
        promise=8,
        does="only the tables' own files are searched, and not the write-ahead log",
        file="deploy/audit/places.py",
        old='for each in sorted(root.rglob("*")):',
        new='for each in sorted(root.glob("base/**/*") if holds_people else root.rglob("*")):',
        tests=(f"{SEARCH}::test_the_files_of_the_database_are_searched_for_tokens_and_may_hold_people",),
    ),
    Mutant(
        name="auditor-pages-skipped",
        promise=8,
        does="pages are not searched",
        file="deploy/audit/leaks.py",
        old="""    yield from pages(options.pages)
""",
        new="""    yield from pages(options.pages[:0])
""",
        tests=(f"{SEARCH}::test_logs_and_pages_are_searched_and_what_is_closed_is_told",),
    ),
    Mutant(
        name="auditor-flower-skipped",
        promise=8,
        does="Flower is not searched",
        file="deploy/audit/leaks.py",
        old="for url in options.flower:",
        new="for url in options.flower[:0]:",
        tests=(f"{SEARCH}::test_every_place_that_was_asked_for_is_searched_or_told",),
    ),
)
