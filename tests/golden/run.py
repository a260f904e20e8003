#!/usr/bin/env python3
"""Golden tests: run.py [--update] [-k WORD] WEIR

1. The recorded outcomes of the language in conformance/ (fmt, parse, eval): every case must agree, every position too, and the
   terminal form of each diagnostic.
2. Every case file FOLDER/*.txt. A case file is a run of sections, each opened by a line `-- NAME --`; what stands before
   the first is its description. Sections:
     cmd            the arguments of weir, one line, split like a shell does; run in a fresh folder
     file NAME      written into that folder before
     stdin          standard input (empty without it)
     stdout stderr  what must come out (nothing without the section)
     after NAME     what the file must hold afterwards
     exit           the exit code (0 without it)
   A word behind the name changes how the section is read: `base64` (bytes that are no text), `no-eol` (without the last LF).
--update rewrites stdout, stderr, after and exit; the diff is the review.
-k WORD runs only the cases (and sets) whose path contains WORD."""
import base64, importlib.util, json, os, re, shlex, subprocess, sys, tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDERS = ("fmt", "check", "eval", "graph", "run", "cli")
SECONDS = 30
FLAGS = ("base64", "no-eol")
EXPECTED = ("stdout", "stderr", "after", "exit")


def load_conformance():
    spec = importlib.util.spec_from_file_location("conformance", os.path.join(HERE, "conformance", "run.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# --- recorded outcomes ---

def run_conformance(conformance, weir, word):
    """(passed, failed) over all recorded cases."""
    passed = failed = 0
    for name in conformance.NAMES:
        if word not in "conformance/" + name:
            continue
        for case, agrees, got in conformance.run_set(weir, os.path.join(HERE, "conformance"), name, 300):
            if agrees and (name != "parse" or case["positions"]):
                passed += 1
                continue
            failed += 1
            print(f"FAILED conformance/{name} {case['id']}: {case.get('in', case.get('in_b64'))!r}\n"
                  f"  expected {conformance.expected(name, case)!r}\n  got      {got!r}")
    return passed, failed


# --- recorded texts: the terminal form, of all cases in one call ---

def terminal_texts(weir, folder, cases, env):
    """{number of the case: what `weir check` writes about it}, without our own lines (help, the sum)."""
    for i, case in enumerate(cases):
        with open(os.path.join(folder, f"{i:04}.alloy"), "wb") as f:
            f.write(case["in"].encode())
    r = subprocess.run([weir, "check", "."], capture_output=True, cwd=folder, env=env, timeout=SECONDS)
    lines = [line for line in r.stderr.decode("utf-8", "replace").split("\n")
             if not line.startswith(("  = help: ", "Error: check failed"))]
    parts = re.split(r"(?m)^(Error|Warning): \./(\d{4})\.alloy:", "\n".join(lines))
    texts = {}
    for severity, number, rest in zip(parts[1::3], parts[2::3], parts[3::3]):
        texts[int(number)] = texts.get(int(number), "") + f"{severity}: <stdin>:{rest}"
    return texts


def run_texts(weir, word, env):
    """(passed, failed) of the recorded terminal forms: every blank of them counts."""
    if word not in "conformance/text":
        return 0, 0
    with open(os.path.join(HERE, "conformance", "parse.jsonl"), encoding="utf-8") as f:
        cases = [case for case in map(json.loads, f) if "text" in case]
    with tempfile.TemporaryDirectory() as folder:
        got = terminal_texts(weir, folder, cases, env)
    differ = [i for i, case in enumerate(cases) if got.get(i, "").rstrip("\n") != case["text"].rstrip("\n")]
    for i in differ:
        print(f"FAILED conformance/text {cases[i]['id']}: {cases[i]['in']!r}\n  expected\n{cases[i]['text']}\n"
              f"  got\n{got.get(i, '')}")
    return len(cases) - len(differ), len(differ)


# --- case files ---

class Section:
    def __init__(self, title):
        words = title.split()
        self.flags = [w for w in words[1:] if w in FLAGS]
        self.words = [w for w in words if w not in FLAGS]
        self.kind = self.words[0]
        self.lines = []

    def content(self):
        data = b"".join(self.lines)
        if "base64" in self.flags:
            return base64.b64decode(data)
        if "no-eol" in self.flags and data.endswith(b"\n"):
            return data[:-1]
        return data


def encode(title, data):
    """A section that holds these bytes, with the flags they need."""
    try:
        data.decode()
        text = b"\r" not in data and not re.search(rb"(?m)^-- .* --$", data)
    except UnicodeDecodeError:
        text = False
    if not text:
        return f"-- {title} base64 --\n".encode() + base64.encodebytes(data)
    if data.endswith(b"\n"):
        return f"-- {title} --\n".encode() + data
    return f"-- {title} no-eol --\n".encode() + data + b"\n"


def read_case(path):
    """(description lines, sections)"""
    head, sections = [], []
    with open(path, "rb") as f:
        for line in f:
            m = re.fullmatch(rb"-- (.+) --\r?\n?", line)
            if m:
                sections.append(Section(m[1].decode()))
                if sections[-1].kind not in ("cmd", "file", "stdin") + EXPECTED:
                    raise ValueError(f"unknown section {sections[-1].kind!r}")
            else:
                (sections[-1].lines if sections else head).append(line)
    if [s.kind for s in sections].count("cmd") != 1:
        raise ValueError("a case needs one cmd section")
    return head, sections


def find(sections, kind):
    return next((s.content() for s in sections if s.kind == kind), b"")


def execute(weir, sections, env):
    """What came out: {title: bytes}, `after` files included."""
    with tempfile.TemporaryDirectory() as folder:
        for s in sections:
            if s.kind == "file":
                path = os.path.join(folder, s.words[1])
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "wb") as f:
                    f.write(s.content())
        r = subprocess.run([weir, *shlex.split(find(sections, "cmd").decode())], input=find(sections, "stdin"),
                           capture_output=True, cwd=folder, env=env, timeout=SECONDS)
        out = {"stdout": r.stdout, "stderr": r.stderr, "exit": b"%d\n" % r.returncode}
        for s in sections:
            if s.kind == "after":
                path = os.path.join(folder, s.words[1])
                out[" ".join(s.words)] = open(path, "rb").read() if os.path.exists(path) else b"(no such file)\n"
        return out


def wanted(sections, title):
    for s in sections:
        if " ".join(s.words) == title:
            return s.content()
    return b"0\n" if title == "exit" else b""


def update(path, head, sections, got):
    out = b"".join(head)
    for s in sections:
        if s.kind not in EXPECTED:
            out += f"-- {' '.join(s.words + s.flags)} --\n".encode() + b"".join(s.lines)
    for title, data in sorted(got.items(), key=lambda x: EXPECTED.index(x[0].split()[0])):
        if data != (b"0\n" if title == "exit" else b"") or title.startswith("after"):
            out += encode(title, data)
    with open(path, "wb") as f:
        f.write(out)


def show(data):
    return "".join("    " + line for line in data.decode("utf-8", "replace").splitlines(True)) or "    (nothing)\n"


def run_case(weir, path, env, updating):
    """None when it agrees, else what differs."""
    try:
        head, sections = read_case(path)
        got = execute(weir, sections, env)
    except (ValueError, OSError, subprocess.TimeoutExpired) as e:
        return str(e) + "\n"
    if updating:
        update(path, head, sections, got)
        return None
    return "".join(f"  {title}: expected\n{show(wanted(sections, title))}  got\n{show(data)}"
                   for title, data in got.items() if data != wanted(sections, title)) or None


def cases(word):
    for folder in FOLDERS:
        full = os.path.join(HERE, folder)
        for name in sorted(os.listdir(full)) if os.path.isdir(full) else []:
            if name.endswith(".txt") and word in f"{folder}/{name}":
                yield f"{folder}/{name}", os.path.join(full, name)


def main():
    args = sys.argv[1:]
    updating = "--update" in args
    args = [a for a in args if a != "--update"]
    word = ""
    if "-k" in args[:-1]:
        i = args.index("-k")
        word = args[i + 1]
        del args[i:i + 2]
    if len(args) != 1 or not os.access(args[0], os.X_OK):
        sys.exit("usage: run.py [--update] [-k WORD] WEIR")
    weir = os.path.abspath(args[0])
    conformance = load_conformance()
    env = conformance.environment()
    passed = failed = 0
    if not updating:
        outcomes = run_conformance(conformance, weir, word), run_texts(weir, word, env)
        passed, failed = (sum(column) for column in zip(*outcomes))
    for name, path in cases(word):
        differs = run_case(weir, path, env, updating)
        if differs:
            print(f"FAILED {name}\n{differs}", end="")
        failed += differs is not None
        passed += differs is None
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
