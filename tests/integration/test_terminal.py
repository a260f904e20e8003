"""Diagnostics on a terminal: when they are coloured, and where the marks stand."""
import os
import pty
import subprocess

import pytest

pytestmark = pytest.mark.core
BROKEN = b"a = 1\nb = @\n"
RED, BOLD, END = "\x1b[31;1m", "\x1b[1m", "\x1b[0m"


@pytest.fixture
def check(weir_binary, tmp_path):
    """check(config, terminal="stdout", **environment) -> (what the terminal shows, what the other stream got)."""
    def call(config, terminal="stdout", **environment):
        (tmp_path / "c.alloy").write_bytes(config)
        ours, theirs = pty.openpty()
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, terminal: theirs}
        env = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "TERM")} | {"TERM": "xterm"} | environment
        p = subprocess.Popen([weir_binary, "check", "c.alloy"], cwd=tmp_path, env=env, **streams)
        os.close(theirs)
        piped = (p.stderr if terminal == "stdout" else p.stdout).read().decode()
        p.wait()
        shown = read_all(ours)
        os.close(ours)
        return shown.replace("\r\n", "\n"), piped
    return call


def read_all(terminal):
    data = b""
    try:
        while chunk := os.read(terminal, 4096):
            data += chunk
    except OSError:  # the other end is closed: this is how a terminal ends
        pass
    return data.decode()


def test_the_header_is_coloured_and_the_lines_are_not(check):
    shown, text = check(BROKEN)
    assert text.startswith(f"{RED}Error: {END}{BOLD}c.alloy:2:5: illegal character U+0040 '@'\n{END}\n"
                           f"1 | a = 1\n2 | b = @\n  |     ^\n3 | \n\n{RED}Error: {END}{BOLD}c.alloy:2:5: expected expression")
    assert shown == "\n"  # one line end behind all diagnostics


def test_warnings_have_their_own_colour(check):
    _, text = check(b'local.file "a" {\n  filename = env("HOME")\n}\n')
    assert text.startswith(f"\x1b[33;1mWarning: {END}{BOLD}c.alloy:2:14: this stdlib function is deprecated")


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_the_environment_turns_colours_off(check, environment):
    _, text = check(BROKEN, **environment)
    assert "\x1b" not in text and text.startswith("Error: c.alloy:2:5: illegal")


def test_an_empty_no_color_is_none(check):
    assert RED in check(BROKEN, NO_COLOR="")[1]


def test_standard_output_decides(check):
    """The text goes to standard error, but only a terminal at standard output makes it coloured."""
    shown, piped = check(BROKEN, terminal="stderr")
    assert "\x1b" not in shown and shown.startswith("Error: c.alloy:2:5: illegal")
    assert piped == "\n"
