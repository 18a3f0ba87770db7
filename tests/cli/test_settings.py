"""Settings: sources, precedence, errors, and how they are shown."""

import json
from pathlib import Path

import pytest

from makola.settings import Given, Settings, SettingsError, describe, load, shown, written
from tests.cli.conftest import RunHere

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "settings.md"


def test_each_source_overrides_the_one_before(tmp_path: Path) -> None:
    (tmp_path / "makola.toml").write_text("port = 1001\nlease_s = 2.5\nlog_level = 'debug'\n")

    loaded = load([Given("port", "1003", "option --port")],
                  {"MAKOLA_PORT": "1002", "MAKOLA_LEASE_S": "3.5", "PORT": "9"}, tmp_path)

    assert (loaded.settings.port, loaded.settings.lease_s, loaded.settings.log_level) == (1003, 3.5, "debug")
    assert loaded.origins["port"] == "option --port"
    assert loaded.origins["lease_s"] == "environment MAKOLA_LEASE_S"
    assert loaded.origins["log_level"] == str(tmp_path / "makola.toml")
    assert loaded.origins["host"] == "default"


def test_the_file_can_be_named_by_variable_and_by_option(tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / f"{number}.toml").write_text(f"port = {number}\n")
    named = {"MAKOLA_CONFIG": str(tmp_path / "1.toml")}

    assert load([], named, tmp_path).settings.port == 1
    assert load([Given("config", str(tmp_path / "2.toml"), "option --config")], named, tmp_path).settings.port == 2


@pytest.mark.parametrize(("name", "value", "expected"), [
    ("demo", "Yes", True),
    ("demo", "off", False),
    ("callback_retry_delays_s", "1, 2.5,3", (1.0, 2.5, 3.0)),
    ("callback_retry_delays_s", "", ()),
    ("database_url", "postgresql://me@/x?host=/tmp", "postgresql://me@/x?host=/tmp"),
    ("data_directory", "/srv/makola", Path("/srv/makola")),
    ("log_format", "json", "json"),
])
def test_a_value_is_read_from_its_text(name: str, value: str, expected: object) -> None:
    assert getattr(load([Given(name, value, "option --set")]).settings, name) == expected


@pytest.mark.parametrize(("name", "value", "expected"), [
    ("port", "http", "a whole number from 0 to 65535, got 'http'"),
    ("port", "65536", "a whole number from 0 to 65535, got '65536'"),
    ("demo", "perhaps", "true or false, got 'perhaps'"),
    ("log_format", "xml", "text or json, got 'xml'"),
    ("lease_s", "0", "a number above 0, got '0'"),
    ("callback_retry_delays_s", "1,soon", "values separated by commas, each a number of at least 0, got '1,soon'"),
    ("default_region", "ghana", "a two-letter country code in capitals, such as GH, got 'ghana'"),
    ("database_url", "mysql://me:secret@x/y", "an address of the form postgresql://user:password@host:port/database"),
])
def test_a_wrong_value_names_setting_source_and_what_is_expected(name: str, value: str, expected: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load([], {f"MAKOLA_{name.upper()}": value})

    assert str(caught.value) == f"setting {name} (environment MAKOLA_{name.upper()}): expected {expected}"


def test_an_unknown_name_is_an_error_in_the_file_and_a_warning_in_the_environment(tmp_path: Path) -> None:
    assert load([], {"MAKOLA_PROT": "1", "MAKOLA_TEST_X": "1"}).warnings == (
        "environment variable MAKOLA_PROT names no setting; did you mean port?",)

    (tmp_path / "makola.toml").write_text("prot = 1\n")
    with pytest.raises(SettingsError, match=r"makola\.toml: there is no setting 'prot'; did you mean port\?"):
        load([], {}, tmp_path)


@pytest.mark.parametrize("content", [b"port = ", b"\xff\xfe", b"[server]\nport = 1\n", b"config = 'x.toml'\n"])
def test_a_file_that_is_wrong_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "makola.toml").write_bytes(content)
    with pytest.raises(SettingsError, match=r"makola\.toml"):
        load([], {}, tmp_path)


def test_defaults_that_follow_from_others() -> None:
    assert Settings().demo
    assert Settings().callback_allow_private
    production = Settings(database_url="postgresql://x/y")
    assert not production.demo
    assert not production.callback_allow_private
    assert Settings(database_url="postgresql://x/y", demo=True).callback_allow_private
    assert Settings(host="0.0.0.0", port=99).public_url == "http://127.0.0.1:99"
    assert Settings(host="::", port=99).public_url == "http://[::1]:99"


def test_the_bound_port_reaches_the_own_address_only() -> None:
    assert Settings(port=0).listening_on(4000).public_url == "http://127.0.0.1:4000"
    assert Settings(port=0, public_url="https://sms.example").listening_on(4000).public_url == "https://sms.example"


def test_what_is_written_reads_back_as_the_same_value() -> None:
    default = Settings()
    given = [Given(each.name, text, "option --set") for each in describe()
             if (text := written(getattr(default, each.name)))]
    assert load(given).settings == default


def test_secrets_are_masked() -> None:
    loaded = load([Given("database_url", "postgresql://me:hunter2@db:5432/x?password=hunter2&a=b", "option --set")])
    description = next(each for each in describe() if each.name == "database_url")

    assert shown(loaded.settings, description) == "postgresql://me:***@db:5432/x?password=***&a=b"
    assert "hunter2" not in repr(loaded.settings)


def test_the_command_shows_value_origin_and_meaning(tmp_path: Path, run_here: RunHere) -> None:
    (tmp_path / "makola.toml").write_text("lease_s = 7\n")

    done = run_here("settings", "--json", "--port", "99", variables={"MAKOLA_HOST": "::1"})

    rows = {row["name"]: row for row in json.loads(done.output)}
    assert (rows["port"]["value"], rows["port"]["origin"]) == ("99", "option --port")
    assert (rows["host"]["value"], rows["host"]["origin"]) == ("::1", "environment MAKOLA_HOST")
    assert (rows["lease_s"]["value"], rows["lease_s"]["origin"]) == ("7", "makola.toml")
    assert rows["public_url"]["value"] == "http://[::1]:99"
    text = run_here("settings").output
    for row in rows.values():
        assert f"{row['name']} = " in text
        assert row["meaning"] in text


def test_the_reference_page_is_up_to_date(run_here: RunHere) -> None:
    assert run_here("settings", "--markdown").output == REFERENCE.read_text()


def test_the_times_of_a_ussd_session_are_the_documents() -> None:
    assert (Settings().ussd_application_timeout_s, Settings().ussd_subscriber_timeout_s) == (7.0, 60.0)
