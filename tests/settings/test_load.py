import base64
from pathlib import Path

import pytest

from greenroom.meetings.policy import PinPolicy, Policy, Replies, Review, Split, Unticketed
from greenroom.settings import EwsExchange, Problem, Settings, SettingsError, load_settings

KEY = base64.b64encode(bytes(range(32))).decode()
OTHER_KEY = base64.b64encode(bytes(range(1, 33))).decode()
GOOD = f"""\
[service]
public_url = "https://meet.example.org/"

[[integration]]
number = 1
name = "main"
mailbox = "Rooms@Example.org"
ticket_keys = [{{ id = 0, key = "{KEY}" }}]

[integration.exchange]
url = "https://mail.example.org/EWS/Exchange.asmx"
username = "svc"
password = "planted-password"
"""
SECOND = f"""
[[integration]]
number = 2
name = "second-house"
mailbox = "second@example.org"
ticket_keys = [{{ id = 0, key = "{OTHER_KEY}" }}]
[integration.exchange]
url = "https://mail.example.org/EWS/Exchange.asmx"
auth = "bearer"
token = "planted-token"
[integration.alias]
digits = 10
"""


def load(tmp_path: Path, text: str, env: dict[str, str] | None = None) -> Settings:
    file = tmp_path / "greenroom.toml"
    file.write_text(text)
    return load_settings(file, env or {})


def problems(tmp_path: Path, text: str, env: dict[str, str] | None = None) -> list[Problem]:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, text, env)
    assert "planted" not in str(caught.value)
    return caught.value.problems


def only(found: list[Problem]) -> Problem:
    assert len(found) == 1, found
    return found[0]


def test_a_short_file_is_enough_and_defaults_fill_the_rest(tmp_path: Path) -> None:
    settings = load(tmp_path, GOOD)
    [main] = settings.integration
    assert settings.service.public_url == "https://meet.example.org"
    assert (settings.service.host, settings.service.port) == ("127.0.0.1", 8080)
    assert settings.storage.url.get_secret_value() == "sqlite:///greenroom.db"
    assert main.mailbox == "rooms@example.org"
    assert main.ticket_keys[0].key == bytes(range(32))
    assert (main.ticket_prefix, main.alias.plan.digits, main.exchange.poll_seconds) == ("GRM", 9, 15)
    assert main.policy.pin is PinPolicy.NONE
    assert main.policy.unticketed is Unticketed.SCHEDULE
    assert main.policy.replies is Replies.ALL
    assert main.policy.before.total_seconds() == 1800


def test_secrets_are_in_no_representation_of_the_settings(tmp_path: Path) -> None:
    settings = load(tmp_path, GOOD + SECOND)
    for text in (
        repr(settings),
        str(settings),
        settings.model_dump_json(exclude={"integration": {"__all__": {"ticket_keys"}}}),
    ):
        assert "planted" not in text
    assert KEY not in repr(settings)
    assert str(bytes(range(32))) not in repr(settings)


def test_the_environment_outranks_the_file_by_section_and_by_name(tmp_path: Path) -> None:
    env = {
        "GREENROOM_SERVICE__LISTEN": "[::1]:9000",
        "GREENROOM_INTEGRATION__MAIN__EXCHANGE__PASSWORD": "from-env",
        "GREENROOM_INTEGRATION__MAIN__MEETINGS__ALLOW_DOMAINS": "Example.org, example.net",
        "GREENROOM_INTEGRATION__SECOND_HOUSE__PLATFORM__DIAL": '[{"label": "SIP", "pattern": "sip:{alias}"}]',
        "GREENROOM_INTEGRATION__SECOND_HOUSE__EXCHANGE__POLL_SECONDS": "3",
        "GREENROOM_STORAGE__URL": "",
        "GREENROOM_SHARED": "not a setting",
        "PATH": "/bin",
    }
    settings = load(tmp_path, GOOD + SECOND, env)
    main, second = settings.integration
    assert (settings.service.host, settings.service.port) == ("::1", 9000)
    assert isinstance(main.exchange, EwsExchange)
    assert main.exchange.password is not None
    assert main.exchange.password.get_secret_value() == "from-env"
    assert main.meetings.allow_domains == ("example.org", "example.net")
    assert second.platform.dial[0].pattern == "sip:{alias}"
    assert second.exchange.poll_seconds == 3


def test_the_environment_alone_can_say_everything() -> None:
    settings = load_settings(
        None,
        {
            "GREENROOM_SERVICE__PUBLIC_URL": "https://meet.example.org",
            "GREENROOM_INTEGRATION__MAIN__NUMBER": "7",
            "GREENROOM_INTEGRATION__MAIN__MAILBOX": "a@example.org",
            "GREENROOM_INTEGRATION__MAIN__TICKET_KEYS": f'[{{"id": 3, "key": "{KEY}"}}]',
            "GREENROOM_INTEGRATION__MAIN__EXCHANGE__URL": "https://mail.example.org/EWS/Exchange.asmx",
            "GREENROOM_INTEGRATION__MAIN__EXCHANGE__USERNAME": "u",
            "GREENROOM_INTEGRATION__MAIN__EXCHANGE__PASSWORD": "p",
        },
    )
    assert settings.integration[0].name == "main"
    assert settings.numbered(7) is settings.named("main") is settings.integration[0]
    assert settings.integration[0].ticket_keys[0].id == 3


def test_an_environment_name_of_no_integration_suggests_the_right_one(tmp_path: Path) -> None:
    problem = only(problems(tmp_path, GOOD, {"GREENROOM_INTEGRATION__MIAN__EXCHANGE__PASSWORD": "planted"}))
    assert (problem.file, problem.line) == ("environment", None)
    assert problem.key == "GREENROOM_INTEGRATION__MIAN__EXCHANGE__PASSWORD"
    assert 'did you mean "MAIN"' in problem.message


def test_an_unknown_variable_is_a_problem(tmp_path: Path) -> None:
    first, second = problems(tmp_path, GOOD, {"GREENROOM_SERVCE__LISTEN": "x", "GREENROOM_SERVICE__LISTN": "x"})
    assert "did you mean SERVICE" in first.message
    assert "did you mean listen" in second.message


def test_a_value_of_the_environment_is_blamed_on_its_variable(tmp_path: Path) -> None:
    problem = only(problems(tmp_path, GOOD, {"GREENROOM_INTEGRATION__MAIN__MEETINGS__BEFORE": "500"}))
    assert (problem.file, problem.key) == ("environment", "GREENROOM_INTEGRATION__MAIN__MEETINGS__BEFORE")
    assert problem.allowed == "0 to 180 minutes"


def test_secrets_come_from_files_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("from-file\n")
    (tmp_path / "keys").write_text(f"# ring\n5:{OTHER_KEY}\n0:{KEY}\n")
    (tmp_path / "url").write_text("postgresql://u:planted@db/g")
    text = GOOD.replace('password = "planted-password"', 'password_file = "password"')
    text = text.replace(f'ticket_keys = [{{ id = 0, key = "{KEY}" }}]', 'ticket_keys_file = "keys"')
    settings = load(tmp_path, text + '[storage]\nurl_file = "url"\n')
    [main] = settings.integration
    assert isinstance(main.exchange, EwsExchange)
    assert main.exchange.password is not None
    assert main.exchange.password.get_secret_value() == "from-file"
    assert main.exchange.password_file == tmp_path / "password"
    assert [key.id for key in main.ticket_keys] == [5, 0]
    assert settings.storage.url.get_secret_value().endswith("@db/g")


def test_a_secret_file_of_the_environment_replaces_the_secret_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("from-file")
    env = {"GREENROOM_INTEGRATION__MAIN__EXCHANGE__PASSWORD_FILE": str(tmp_path / "password")}
    exchange = load(tmp_path, GOOD, env).integration[0].exchange
    assert isinstance(exchange, EwsExchange)
    assert exchange.password is not None
    assert exchange.password.get_secret_value() == "from-file"


def test_a_secret_given_twice_or_in_a_missing_file_is_a_problem(tmp_path: Path) -> None:
    twice = only(problems(tmp_path, GOOD + 'password_file = "x"\n'))
    assert "both set" in twice.message
    missing = only(problems(tmp_path, GOOD.replace('password = "planted-password"', 'password_file = "nowhere"')))
    assert (missing.line, missing.key) == (13, "integration[main].exchange.password_file")
    assert "No such file" in missing.message


def test_a_file_of_certificates_must_hold_one(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    assert "no certificate" in only(problems(tmp_path, GOOD + 'ca_file = "ca.pem"\n')).message


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "words"),
    [
        ("public_url", "publik_url", 2, "service.publik_url", "did you mean public_url?"),
        ("number = 1", "number = 0", 5, "integration[main].number", "0 is too small"),
        ("number = 1", "poll_seconds = 1\nnumber = 1", 5, "integration[main].poll_seconds", "[integration.exchange]"),
        ("number = 1", 'number = "one"', 5, "integration[main].number", "not a whole number"),
        ('"main"', '"Main House"', 6, "integration[Main House].name", "not of the right form"),
        ("Rooms@Example.org", "Rooms", 7, "integration[main].mailbox", '"Rooms" is not a mail address'),
        (KEY, "c2hvcnQ=", 8, "integration[main].ticket_keys[1].key", "has 5 bytes"),
        ("https://mail", "http://mail", 11, "integration[main].exchange.url", "http to another computer"),
        ("https://mail", "https://planted@mail", 11, "integration[main].exchange.url", "user name or password"),
        ('username = "svc"', "", 10, "integration[main].exchange.username", "is missing"),
        ("username =", 'auth = "digest"\nusername =', 12, "integration[main].exchange.auth", "is not known here"),
        ('"planted-password"', '""', 13, "integration[main].exchange.password", "is empty"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_key(  # noqa: PLR0917 - columns of a table
    tmp_path: Path, old: str, new: str, line: int, key: str, words: str
) -> None:
    text = GOOD.replace(old, new)
    assert text != GOOD
    found = [problem for problem in problems(tmp_path, text) if problem.key == key]
    assert words in only(found).message
    assert found[0].line == line
    assert found[0].allowed


def test_what_is_missing_is_told_at_its_table_with_what_it_is_for(tmp_path: Path) -> None:
    problem = only(problems(tmp_path, GOOD.replace('public_url = "https://meet.example.org/"\n', "")))
    assert (problem.line, problem.key) == (1, "service.public_url")
    assert "join links begin with it" in problem.message


def test_all_problems_come_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = GOOD.replace("public_url", "publik_url").replace("number = 1", "number = 0") + 'streaming = "perhaps"\n'
    lines = [problem.line for problem in problems(tmp_path, text)]
    assert lines == [1, 2, 5, 14]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("[service]\nlisten = \n", 2, "column 10"),
        ("[service\n", 1, "expected ']'"),
        ("a = 1\na = 2\n", 2, "cannot overwrite"),
        ('x = """open', 1, "unterminated"),
    ],
)
def test_a_syntax_error_is_told_with_line_and_column(tmp_path: Path, text: str, line: int, words: str) -> None:
    problem = only(problems(tmp_path, text))
    assert problem.line == line
    assert words in problem.message.lower()


def test_a_file_that_is_missing_or_not_text_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="there is no such file"):
        load_settings(tmp_path / "nowhere.toml", {})
    (tmp_path / "latin.toml").write_bytes(b"[service]\n# caf\xe9\n")
    with pytest.raises(SettingsError, match=r"latin.toml:2: is not text in UTF-8"):
        load_settings(tmp_path / "latin.toml", {})


@pytest.mark.parametrize(
    ("old", "new", "key", "words"),
    [
        ("number = 2", "number = 1", "integration[second-house].number", "1 is taken by integration[main]"),
        ('"second-house"', '"main"', "integration[main].name", "is taken by"),
        ("second@example.org", "ROOMS@example.org", "integration[second-house].mailbox", "is taken by"),
        (OTHER_KEY, KEY, "integration[second-house].ticket_keys[1]", "same secret"),
        ("digits = 10", "digits = 9", "integration[second-house].alias", "same aliases"),
        ("digits = 10", 'digits = 9\ndomain = "b.example"', "integration[second-house].alias", "same numeric aliases"),
        ("digits = 10", 'digits = 8\nprefix = "7"', "integration[second-house].alias", "same aliases"),
        ('token = "planted-token"', "", "integration[second-house].exchange.token", "is missing"),
    ],
)
def test_integrations_must_not_get_into_each_others_way(
    tmp_path: Path, old: str, new: str, key: str, words: str
) -> None:
    assert old in SECOND
    problem = only(problems(tmp_path, GOOD + SECOND.replace(old, new)))
    assert problem.key == key
    assert words in problem.message


def test_pools_that_cannot_meet_are_allowed(tmp_path: Path) -> None:
    apart = SECOND.replace("digits = 10", 'digits = 8\nprefix = "0"')
    assert load(tmp_path, GOOD + apart).integration[1].alias.plan.prefix == "0"


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ('meeting_url = "https://jitsi.example/{room}"', "unknown variable {room}"),
        ('meeting_url = "https://{alias}.example/"', "host from a variable"),
        ('meeting_url = "javascript:alert(1)"', "not a web address"),
        ('meeting_url = "https://jitsi.example/{alias"', "brace without its partner"),
        ('dial = [{ label = "SIP", pattern = "sip:{alia}" }]', "unknown variable {alia}"),
        ('dial = [{ label = "x", pattern = "javascript:{alias}" }]', "nobody can dial"),
        ('phone = "{pin}"', "unknown variable {pin}"),
    ],
)
def test_patterns_know_their_variables(tmp_path: Path, pattern: str, words: str) -> None:
    problem = only(problems(tmp_path, f"{GOOD}\n[integration.platform]\n{pattern}\n"))
    assert words in problem.message
    assert problem.line == 16
    assert "{numeric_alias}" in problem.allowed


def test_the_policy_says_which_replies_are_mailed(tmp_path: Path) -> None:
    [main] = load(tmp_path, f'{GOOD}[integration.meetings]\nreplies = "changes"\n').integration
    assert main.policy.replies is Replies.CHANGES
    problem = only(problems(tmp_path, f'{GOOD}[integration.meetings]\nreplies = "some"\n'))
    assert problem.allowed == "all, changes or first"


def test_http_is_allowed_to_this_computer_only(tmp_path: Path) -> None:
    text = GOOD.replace("https://meet.example.org/", "http://127.0.0.1:8080")
    assert load(tmp_path, text).service.public_url == "http://127.0.0.1:8080"


def test_two_keys_of_one_ring_have_two_ids(tmp_path: Path) -> None:
    text = GOOD.replace(f'key = "{KEY}" }}', f'key = "{KEY}" }}, {{ id = 0, key = "{OTHER_KEY}" }}')
    assert "key id 0 is used twice" in only(problems(tmp_path, text)).message


def test_nonsense_of_the_wrong_shape_is_told_and_breaks_nothing(tmp_path: Path) -> None:
    for text in ("service = 3\nintegration = 4\n", "integration = [1, 2]\n", "[integration]\nnumber = 1\n"):
        env = {"GREENROOM_SERVICE__LISTEN": "x:1", "GREENROOM_INTEGRATION__MAIN__NUMBER": "1"}
        assert problems(tmp_path, text, env)


def test_the_policy_says_what_becomes_of_series(tmp_path: Path) -> None:
    [usual] = load(tmp_path, GOOD).integration
    default = Policy(mailbox=usual.mailbox)
    assert (usual.policy.split, usual.policy.review_after, usual.policy.review) == (
        default.split,
        default.review_after,
        default.review,
    )
    table = '[integration.meetings]\nsplit = "new-room"\nreview_after = 6\nreview = "mail"\n'
    [main] = load(tmp_path, f"{GOOD}{table}").integration
    assert (main.policy.split, main.policy.review) == (Split.NEW_ROOM, Review.MAIL)
    assert main.policy.review_after.days == 183


@pytest.mark.parametrize(
    ("line", "allowed"),
    [
        ('split = "no-room"', "same-room or new-room"),
        ("review_after = 0", "1 to 120 months"),
        ("review_after = 121", "1 to 120 months"),
        ('review = "phone"', "list or mail"),
    ],
)
def test_a_wrong_policy_of_series_is_told_with_what_is_allowed(tmp_path: Path, line: str, allowed: str) -> None:
    problem = only(problems(tmp_path, f"{GOOD}[integration.meetings]\n{line}\n"))
    assert problem.key == f"integration[main].meetings.{line.partition(' ')[0]}"
    assert allowed in problem.allowed
