"""Promise 8: secrets stay secret."""

from __future__ import annotations

from mutants.mutant import Mutant

VAULT = "tests/unit/credentials/test_vault.py"
REDACTION = "tests/unit/logs/test_redaction.py"
HTTP = "tests/unit/http"

BUGS = (
    Mutant(
        name="one-purpose-for-all",
        promise=8,
        does="a token that was copied to another customer's row opens there",
        file="common/credentials/vault.py",
        old='return f"syncfleet/v1/{customer_id}/{what}".encode()',
        new='return f"syncfleet/v1/{customer_id[:0]}/{what[:0]}".encode()',
        tests=(f"{VAULT}::test_a_token_of_one_system_does_not_open_as_anothers",),
    ),
    Mutant(
        name="wrong-data-key",
        promise=8,
        does="all customers' tokens are under the master key itself",
        file="common/credentials/vault.py",
        old="box = AESGCM(self._data_key(customer_id, create=True))",
        new="box = self._master if self._data_key(customer_id, create=True) else self._master",
        tests=(f"{VAULT}::test_what_was_put_opens",),
    ),
    Mutant(
        name="one-data-key-for-all",
        promise=8,
        does="all customers have the same data key",
        file="common/credentials/vault.py",
        old="self._seal(self._master, self._random_bytes(KEY_BYTES),",
        new="self._seal(self._master, bytes(KEY_BYTES),",
        tests=(f"{VAULT}::test_each_customer_has_a_data_key_of_its_own",),
    ),
    Mutant(
        name="nonce-used-twice",
        promise=8,
        does="every ciphertext has the same nonce",
        file="common/credentials/vault.py",
        old="nonce = self._random_bytes(NONCE_BYTES)",
        new="nonce = bytes(NONCE_BYTES)",
        tests=(f"{VAULT}::test_neither_token_nor_key_is_stored_readable_or_twice_alike",),
    ),
    Mutant(
        name="key-replaced-by-the-second",
        promise=8,
        does="of two processes that start together one puts its data key over the other's",
        file="common/storage/keys.py",
        old="insert(data_keys).values(row).on_conflict_do_nothing()",
        new='insert(data_keys).values(row).on_conflict_do_update(index_elements=["customer_id"], set_=row)',
        tests=(
            "tests/contract/storage/test_customers_apart.py::test_of_two_data_keys_for_one_customer_the_first_is_kept",
        ),
    ),
    Mutant(
        name="master-key-for-everybody",
        promise=8,
        does="the master key's file can be read by others of the machine",
        file="common/credentials/master_key.py",
        old="os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)",
        new="os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)",
        tests=(f"{VAULT}::test_the_first_start_makes_a_key_for_its_owner_alone_and_the_next_finds_it",),
    ),
    Mutant(
        name="failure-told-in-full",
        promise=8,
        does="an error repeats the text of a failed exchange, which may hold an address with its query",
        file="common/http/verdicts.py",
        old='said = f"{where}: {type(failure).__name__}"',
        new='said = f"{where}: {failure}"',
        tests=(f"{HTTP}/test_http_verdicts.py::test_a_failures_own_text_is_not_repeated",),
    ),
    Mutant(
        name="token-in-an-error",
        promise=8,
        does="an error names the token that was sent",
        file="common/http/client.py",
        old='where = f"customer {self._customer_id}: {self._policy.system}: {method} {route}"',
        new='where = f"customer {self._customer_id}: {method} {route} {self._token.get_secret_value()}"',
        tests=("tests/contract/connectors/test_source_contract.py::test_no_error_tells_the_token_or_a_persons_data",),
    ),
    Mutant(
        name="personal-data-in-an-error",
        promise=8,
        does="an error repeats what a destination said, which may be a person's",
        file="common/http/verdicts.py",
        old='said = f"{where}: {answer.status}"',
        new='said = f"{where}: {answer.status} {answer.detail()}"',
        tests=(f"{HTTP}/test_http_verdicts.py::test_an_error_repeats_nothing_of_what_was_said",),
    ),
    Mutant(
        name="value-in-a-complaint",
        promise=8,
        does="a complaint of a field repeats its value",
        file="poller/sources/volunteer/translate/fields.py",
        old='raise self.wrong(name, f"{mend}; correct it at the source") from None',
        new='raise self.wrong(name, f"{mend}: {text}; correct it at the source") from None',
        tests=(
            (
                "tests/unit/poller/sources/test_translate_users.py::"
                "test_an_item_that_cannot_be_read_names_customer_field_and_mend"
            ),
        ),
    ),
    Mutant(
        name="defect-told-in-full",
        promise=8,
        does="a dead letter's message repeats the text of a defect, which may hold a record",
        file="processor/verdicts.py",
        old='    said = f"defect: {type(error).__name__}"\n',
        new='    said = f"defect: {error}"\n',
        tests=("tests/unit/processor/test_verdicts.py::test_a_defect_is_told_by_its_type_and_not_by_its_text",),
    ),
    Mutant(
        name="slice-defect-told-in-full",
        promise=8,
        does="a customer's reason to wait repeats the text of a defect",
        file="processor/verdicts.py",
        old='reason = f"defect: {type(error).__name__}; see the log"',
        new='reason = f"defect: {error}; see the log"',
        tests=("tests/unit/processor/test_verdicts.py::test_a_defect_outside_a_write_is_told_by_its_type",),
    ),
    Mutant(
        name="run-defect-told-in-full",
        promise=8,
        does="a run's report repeats the text of a defect",
        file="poller/runs.py",
        old='self.finish(RunState.FAILED, None, f"defect: {type(defect).__name__}")',
        new='self.finish(RunState.FAILED, None, f"defect: {defect}")',
        tests=("tests/unit/poller/test_runs.py::test_a_defect_ends_the_run_by_name_and_is_raised",),
    ),
    Mutant(
        name="bearer-in-a-log-line",
        promise=8,
        does="a token that follows its header's word is logged",
        file="common/logs/setup.py",
        old='return BEARER.sub("Bearer [removed]", EMAIL.sub("[e-mail]", text))',
        new='return EMAIL.sub("[e-mail]", text)',
        tests=(f"{REDACTION}::test_a_value_is_cleaned_and_otherwise_left_as_it_is",),
    ),
    Mutant(
        name="address-in-a-log-line",
        promise=8,
        does="an e-mail address is logged",
        file="common/logs/setup.py",
        old='return BEARER.sub("Bearer [removed]", EMAIL.sub("[e-mail]", text))',
        new='return BEARER.sub("Bearer [removed]", text)',
        tests=(f"{REDACTION}::test_no_e_mail_address_comes_through",),
    ),
    Mutant(
        name="payload-in-a-log-line",
        promise=8,
        does="a forbidden key's value is logged where it is nested",
        file="common/logs/setup.py",
        old="return {key: _without_secrets(key, item) for key, item in value.items()}",
        new="return {key: _clean(item) for key, item in value.items()}",
        tests=(f"{REDACTION}::test_a_forbidden_key_shows_its_value_nowhere_inside_another_value_either",),
    ),
    Mutant(
        name="traceback-not-cleaned",
        promise=8,
        does="a traceback is added to a line after it was cleaned",
        file="common/logs/setup.py",
        old="""        structlog.processors.format_exc_info,
        redact,
    ]""",
        new="""        redact,
        structlog.processors.format_exc_info,
    ]""",
        tests=(f"{REDACTION}::test_a_traceback_is_cleaned_too",),
    ),
    Mutant(
        name="row-in-a-database-error",
        promise=8,
        does="an error of the database carries the row into the log",
        file="common/storage/engine.py",
        old="hide_parameters=True,",
        new="hide_parameters=False,",
        tests=(
            "tests/integration/test_sessions.py::test_an_error_of_the_database_does_not_tell_the_values_it_was_given",
        ),
    ),
    Mutant(
        name="token-follows-a-redirect",
        promise=8,
        does="an answer leads the token to another address",
        file="common/http/client.py",
        old="follow_redirects=False,",
        new="follow_redirects=True,",
        tests=(
            f"{HTTP}/test_http_client.py::test_the_products_own_connections_follow_no_redirect_and_heed_no_setting_of_the_machine",
        ),
    ),
    Mutant(
        name="token-follows-a-link",
        promise=8,
        does="a link in an answer leads the token to another host",
        file="common/http/client.py",
        old='if url is not None and not url.startswith(self._base_url + "/"):',
        new='if url is not None and not url.startswith("http"):',
        tests=(
            (
                "tests/contract/connectors/test_source_contract.py::"
                "test_a_link_that_leads_to_another_place_is_refused_and_no_token_is_sent_there"
            ),
        ),
    ),
    Mutant(
        name="arguments-in-a-log-line",
        promise=8,
        does="a message that does not fit is refused with its arguments in the log",
        file="common/queueing/tasks.py",
        old="why=str(error), takes=list(signature.parameters))",
        new="why=str(error), got=arguments, takes=list(signature.parameters))",
        tests=(
            "tests/unit/queueing/test_worker_parts.py::test_a_message_that_does_not_fit_tells_the_names_of_its_arguments_at_most",
        ),
    ),
    Mutant(
        name="bearers-right-kept",
        promise=8,
        does="what lets its bearer check somebody in is kept and sent on",
        file="poller/sources/volunteer/translate/participations.py",
        old='SECRETS = ("token", "group_token")',
        new='SECRETS = ("group_token",)',
        tests=(
            (
                "tests/unit/poller/sources/test_translate_participations.py::"
                "test_what_lets_its_bearer_check_somebody_in_is_not_kept"
            ),
        ),
    ),
)
