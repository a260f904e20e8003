"""Imported modules of a running agent: files, folders, an HTTP server and a git repository that change; broken updates, sources that hang."""
import http.server
import json
import os
import shutil
import socket
import subprocess
import threading

import pytest

from weirproc import await_that

pytestmark = pytest.mark.core


def module(word, name="greet"):
    return f'declare "{name}" {{\n\texport "word" {{\n\t\tvalue = "{word}"\n\t}}\n}}\n'


USER = 'lib.greet "x" { }\n'


def word(w, id="lib.greet.x"):
    """What the custom component exports; None when there is none."""
    a = w.get(f"/api/v0/web/components/{id}")
    if a.status != 200:
        return None
    for e in json.loads(a.body)["exports"]:
        if e["name"] == "word":
            return e["value"]["value"]
    return None


def put(path, text):
    """Written beside and renamed over, as editors and deployments do."""
    beside = path.with_suffix(".tmp")
    beside.write_text(text)
    os.replace(beside, path)


def await_word(w, want, id="lib.greet.x"):
    await_that(f"{id} says {want!r}", lambda: word(w, id) == want)


# --- files ---

def test_a_file_is_followed(weir, tmp_path):
    lib = tmp_path / "lib.alloy"
    lib.write_text(module("one"))
    w = weir(f'import.file "lib" {{\n\tfilename = "{lib}"\n}}\n' + USER)
    assert word(w) == "one"
    put(lib, module("two"))
    await_word(w, "two")


def test_a_folder_is_followed(weir, tmp_path):
    lib = tmp_path / "lib"
    lib.mkdir()
    (lib / "a.alloy").write_text(module("one"))
    (lib / "b.alloy").write_text(module("other", "second"))
    (lib / "notes.txt").write_text("}")
    w = weir(f'import.file "lib" {{\n\tfilename = "{lib}"\n}}\n' + USER + 'lib.second "y" { }\n')
    assert (word(w), word(w, "lib.second.y")) == ("one", "other")
    put(lib / "b.alloy", module("new", "second"))
    await_word(w, "new", "lib.second.y")
    assert word(w) == "one"


def test_a_mounted_config_map_is_followed(weir, tmp_path):
    """The kubelet writes a new folder and swaps the link `..data`; the file is a link through it."""
    mount = tmp_path / "mount"
    (mount / "..1").mkdir(parents=True)
    (mount / "..1" / "lib.alloy").write_text(module("one"))
    (mount / "..data").symlink_to("..1")
    (mount / "lib.alloy").symlink_to("..data/lib.alloy")
    w = weir(f'import.file "lib" {{\n\tfilename = "{mount / "lib.alloy"}"\n}}\n' + USER)
    (mount / "..2").mkdir()
    (mount / "..2" / "lib.alloy").write_text(module("two"))
    (mount / "..data_tmp").symlink_to("..2")
    os.replace(mount / "..data_tmp", mount / "..data")
    await_word(w, "two")


def test_broken_content_keeps_what_runs(weir, tmp_path):
    lib = tmp_path / "lib.alloy"
    lib.write_text(module("one"))
    w = weir(f'import.file "lib" {{\n\tfilename = "{lib}"\n}}\n' + USER)
    put(lib, 'declare "greet" {\n')
    await_that("the fault is logged", lambda: "failed to parse file on update" in w.log)
    assert word(w) == "one" and w.health("lib.greet.x")["state"] == "healthy"
    put(lib, module("two"))
    await_word(w, "two")


def test_a_file_that_goes_keeps_what_runs(weir, tmp_path):
    lib = tmp_path / "lib.alloy"
    lib.write_text(module("one"))
    w = weir(f'import.file "lib" {{\n\tfilename = "{lib}"\n}}\n' + USER)
    lib.unlink()
    await_that("the failure is logged", lambda: "failed to read file: " in w.log)
    assert word(w) == "one"
    put(lib, module("two"))
    await_word(w, "two")


def test_a_missing_file_fails_the_load_with_its_reason(weir, tmp_path):
    w = weir(f'import.file "lib" {{\n\tfilename = "{tmp_path / "none"}"\n}}\n', wait=False)
    w.expected_exit = 1
    assert w.p.wait(30) == 1
    assert f"failed to read file: stat {tmp_path / 'none'}: no such file or directory" in w.log


def test_a_fifo_does_not_hold_the_start(weir, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    w = weir(f'import.file "lib" {{\n\tfilename = "{tmp_path / "fifo"}"\n}}\n', wait=False)
    w.expected_exit = 1
    assert w.p.wait(30) == 1
    assert "is not a regular file" in w.log


def test_files_import_files_beside_them(weir, tmp_path):
    lib = tmp_path / "lib"
    lib.mkdir()
    (lib / "inner.alloy").write_text(module("one"))
    (lib / "outer.alloy").write_text(
        'import.file "in" {\n\tfilename = module_path + "/inner.alloy"\n}\n'
        'declare "greet" {\n\tin.greet "y" { }\n\texport "word" {\n\t\tvalue = in.greet.y.word\n\t}\n}\n')
    w = weir(f'import.file "lib" {{\n\tfilename = "{lib / "outer.alloy"}"\n}}\n' + USER)
    assert word(w) == "one"
    put(lib / "inner.alloy", module("two"))
    await_word(w, "two")


# --- texts ---

def test_a_text_from_another_component(weir, tmp_path):
    source = tmp_path / "source"
    source.write_text(module("one"))
    w = weir(f'local.file "source" {{\n\tfilename = "{source}"\n}}\n'
             'import.string "lib" {\n\tcontent = local.file.source.content\n}\n' + USER)
    assert word(w) == "one"
    put(source, module("two"))
    await_word(w, "two")


# --- HTTP ---

class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, text):
        self.text, self.status, self.asked = text, 200, 0
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/mods/lib.alloy"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked += 1
        body = self.server.text.encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    s = Server(module("one"))
    yield s
    s.shutdown()
    s.server_close()


def http_import(url, more='poll_frequency = "100ms"'):
    return f'import.http "lib" {{\n\turl = "{url}"\n\t{more}\n}}\n'


def test_a_url_is_followed(weir, server):
    w = weir(http_import(server.url, 'poll_frequency = "50ms"') + USER)
    assert word(w) == "one"
    server.text = module("two")
    await_word(w, "two")
    server.status = 500
    await_that("the failure is logged", lambda: "unexpected status code 500" in w.log)
    before = server.asked
    await_that("it goes on asking", lambda: server.asked > before + 3)
    assert w.log.count("unexpected status code 500") == 1 and word(w) == "two"
    server.status, server.text = 200, module("three")
    await_word(w, "three")


def test_a_url_that_does_not_answer_fails_the_load_in_time(weir, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        w = weir(http_import(f"http://127.0.0.1:{silent.getsockname()[1]}/", 'poll_timeout = "500ms"') + USER, wait=False)
        w.expected_exit = 1
        assert w.p.wait(30) == 1
        assert "failed to poll endpoint: " in w.log


def test_a_reload_that_cannot_fetch_changes_nothing(weir, server):
    w = weir(http_import(server.url) + USER)
    r = w.reload(http_import("http://127.0.0.1:1/x") + USER)
    assert r.status == 400 and "failed to poll endpoint: " in r.text
    assert word(w) == "one"
    server.text = module("two")
    await_word(w, "two")


def test_a_url_must_not_bring_file_imports(weir, server):
    server.text = 'import.file "x" {\n\tfilename = "/etc/passwd"\n}\n' + module("one")
    w = weir(http_import(server.url))
    await_that("it is refused", lambda: "that contains an import.file block is not supported" in w.log)


# --- git ---

@pytest.fixture
def repo(tmp_path):
    if not shutil.which("git"):
        pytest.skip("no git program")
    path = tmp_path / "repo"
    env = dict(os.environ, GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_NOSYSTEM="1", GIT_AUTHOR_NAME="t", GIT_AUTHOR_EMAIL="t@example.com",
               GIT_COMMITTER_NAME="t", GIT_COMMITTER_EMAIL="t@example.com")

    def git(*args):
        subprocess.run(["git", "-C", str(path), *args], check=True, env=env, capture_output=True)

    def commit(text):
        (path / "mods").mkdir(exist_ok=True)
        (path / "mods" / "lib.alloy").write_text(text)
        git("add", ".")
        git("commit", "-q", "-m", "x")

    path.mkdir()
    git("init", "-q", "-b", "main")
    commit(module("one"))
    git("tag", "v1")
    commit.git, commit.path = git, path
    return commit


def git_import(repo, more="", path="mods/lib.alloy"):
    return f'import.git "lib" {{\n\trepository = "{repo.path}"\n\tpath = "{path}"\n\tpull_frequency = "100ms"\n\t{more}\n}}\n'


def test_a_push_is_followed(weir, repo):
    w = weir(git_import(repo) + USER)
    assert word(w) == "one"
    repo(module("two"))
    await_word(w, "two")
    repo('declare "greet" {\n')
    await_that("the fault is logged", lambda: "failed to parse file on update" in w.log)
    assert word(w) == "two"
    repo(module("three"))
    await_word(w, "three")
    assert (w.folder / "data" / "import.git.lib" / "repo" / "mods" / "lib.alloy").exists()


def test_another_revision_by_reload(weir, repo):
    repo(module("two"))
    w = weir(git_import(repo, path="mods") + USER)
    assert word(w) == "two"
    assert w.reload(git_import(repo, 'revision = "v1"', path="mods") + USER).status == 200
    assert word(w) == "one"
    r = w.reload(git_import(repo, 'revision = "v2"', path="mods") + USER)
    assert r.status == 400 and "couldn't find remote ref v2" in r.text
    assert word(w) == "one"


def test_a_git_server_that_hangs_does_not_hold_the_agent(weir, repo):
    """The old module runs on, and the page answers, while a reload waits for a server that says nothing. Its git ends with the agent."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        w = weir(git_import(repo) + USER)
        config = git_import(repo).replace(str(repo.path), f"git://127.0.0.1:{silent.getsockname()[1]}/x")
        w.config.write_text(config + USER)
        asked = threading.Thread(target=lambda: w.post("/-/reload", timeout=200), daemon=True)
        asked.start()
        git, _ = silent.accept()
        question = git.recv(4096)
        while not question.endswith(b"\0"):  # one write of git may come as two
            question += git.recv(4096)
        assert w.get("/-/healthy", timeout=5).status == 200
        assert word(w) == "one"
        assert w.stop() == 0
        git.settimeout(30)
        assert git.recv(1) == b""
        git.close()
