"""Services of a machine that collectors ask: D-Bus with systemd and logind behind it, an NTP server, supervisord, services of runit.

Each is as small as the collectors' questions, and answers Weir and node_exporter alike.
"""
import os
import re
import socket
import struct
import threading
import time
from xmlrpc.server import SimpleXMLRPCServer

# --- D-Bus: messages are aligned as the specification says; little endian, few types ---

ALIGN = {"y": 1, "g": 1, "v": 1, "u": 4, "b": 4, "s": 4, "o": 4, "a": 4, "t": 8, "(": 8}


def single(signature):
    """The first complete type of a signature."""
    if signature[0] == "a":
        return "a" + single(signature[1:])
    if signature[0] != "(":
        return signature[0]
    depth = 0
    for i, c in enumerate(signature):
        depth += (c == "(") - (c == ")")
        if depth == 0:
            return signature[:i + 1]
    raise ValueError(signature)


class Writer:
    def __init__(self):
        self.out = bytearray()

    def pad(self, n):
        self.out += b"\0" * (-len(self.out) % n)

    def put(self, signature, values):
        for value in values:
            one = single(signature)
            signature = signature[len(one):]
            self.put_one(one, value)
        return self

    def put_one(self, kind, value):
        self.pad(ALIGN[kind[0]])
        if kind in "ubt":
            self.out += struct.pack("<Q" if kind == "t" else "<I", value)
        elif kind == "y":
            self.out.append(value)
        elif kind in "so":
            self.out += struct.pack("<I", len(value.encode())) + value.encode() + b"\0"
        elif kind == "g":
            self.out += bytes([len(value)]) + value.encode() + b"\0"
        elif kind == "v":
            self.put("g", [value[0]])
            self.put_one(*value)
        elif kind[0] == "(":
            self.put(kind[1:-1], value)
        else:
            self.put_array(kind[1:], value)

    def put_array(self, kind, values):
        at = len(self.out)
        self.out += b"\0" * 4
        self.pad(ALIGN[kind[0]])
        begin = len(self.out)
        for value in values:
            self.put_one(kind, value)
        self.out[at:at + 4] = struct.pack("<I", len(self.out) - begin)


def read_text(data, at):
    at += -at % 4
    n = struct.unpack_from("<I", data, at)[0]
    return data[at + 4:at + 4 + n].decode(), at + 5 + n


def read_fields(data):
    """Texts of a message's header: path (1), interface (2), member (3)."""
    fields, at, end = {}, 16, 16 + struct.unpack_from("<I", data, 12)[0]
    while at < end:
        at += -at % 8
        code, n = data[at], data[at + 1]
        kind, at = data[at + 2:at + 2 + n].decode(), at + 3 + n
        if kind in "so":
            fields[code], at = read_text(data, at)
        elif kind == "g":
            at += data[at] + 2
        else:
            at += -at % 4 + 4
    return fields


def message(kind, serial, reply_to, signature, values):
    body = bytes(Writer().put(signature, values).out) if signature else b""
    fields = [(5, ("u", reply_to))] + ([(8, ("g", signature))] if signature else [])
    if kind == 3:
        fields.append((4, ("s", "org.freedesktop.DBus.Error.UnknownProperty")))
    w = Writer().put("yyyyuua(yv)", [ord("l"), kind, 1, 1, len(body), serial, fields])
    w.pad(8)
    return bytes(w.out) + body


class Bus:
    """methods: {"interface.Method": (signature, values)}, properties: {(path, interface, name): (signature, value)}."""

    def __init__(self, path, methods, properties):
        self.methods = {"org.freedesktop.DBus.Hello": ("s", [":1.1"]), **methods}
        self.properties = properties
        self.address = f"unix:path={path}"
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen(16)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection, connection.makefile("rwb") as stream:
            try:
                self.authenticate(stream)
                while self.answer(stream):
                    pass
            except OSError:
                pass

    def authenticate(self, stream):
        for line in iter(stream.readline, b""):
            words = line.strip(b"\0\r\n").split()
            if words == [b"BEGIN"]:
                return
            answer = {(b"AUTH", 1): b"REJECTED EXTERNAL", (b"AUTH", 2): b"DATA", (b"NEGOTIATE_UNIX_FD", 1): b"AGREE_UNIX_FD"}
            stream.write(answer.get((words[0], len(words)), b"OK 0123456789abcdef0123456789abcdef") + b"\r\n")
            stream.flush()

    def answer(self, stream):
        head = stream.read(16)
        if len(head) < 16:
            return False
        n_body, serial, n_fields = struct.unpack_from("<III", head, 4)
        rest = stream.read(n_fields + -n_fields % 8 + n_body)
        data = head + rest
        fields = read_fields(data)
        kind, signature, values = self.find(fields, data[len(data) - n_body:])
        stream.write(message(kind, serial, serial, signature, values))
        stream.flush()
        return True

    def find(self, fields, body):
        name = f"{fields.get(2)}.{fields.get(3)}"
        if name == "org.freedesktop.DBus.Properties.Get":
            interface, at = read_text(body, 0)
            name, _ = read_text(body, at)
            value = self.properties.get((fields[1], interface, name))
            return (2, "v", [value]) if value else (3, "", [])
        return (2, *self.methods[name]) if name in self.methods else (3, "", [])

    def close(self):
        self.listener.close()


# --- what the services tell ---

SYSTEMD, LOGIND = "org.freedesktop.systemd1", "org.freedesktop.login1"
UNITS = [("web.service", "loaded", "active"), ("batch@1.service", "loaded", "failed"), ("tick.timer", "loaded", "active"),
         ("api.socket", "loaded", "activating"), ("srv-data.mount", "loaded", "active"), ("masked.service", "masked", "inactive"),
         ("lost.service", "not-found", "maintenance")]


def unit_path(name):
    return "/org/freedesktop/systemd1/unit/" + re.sub("[^A-Za-z0-9]", lambda m: f"_{ord(m[0]):02x}", name)


def unit_properties():
    of = {
        "web.service": {"Service": {"Type": ("s", "notify"), "NRestarts": ("u", 3), "TasksCurrent": ("t", 12), "TasksMax": ("t", 2**64 - 1)},
                        "Unit": {"ActiveEnterTimestamp": ("t", 1700000000500000)}},
        "batch@1.service": {"Service": {"Type": ("s", "oneshot"), "NRestarts": ("u", 0), "TasksCurrent": ("t", 2**64 - 1),
                                        "TasksMax": ("t", 4915)}},
        "tick.timer": {"Timer": {"LastTriggerUSec": ("t", 1600000000000000)}, "Unit": {"ActiveEnterTimestamp": ("t", 0)}},
        "api.socket": {"Socket": {"NAccepted": ("u", 7), "NConnections": ("u", 2), "NRefused": ("u", 1)}},
    }
    return {(unit_path(unit), f"{SYSTEMD}.{interface}", name): value
            for unit, interfaces in of.items() for interface, values in interfaces.items() for name, value in values.items()}


def session_properties():
    of = {"/s/1": (0, "wayland", "user"), "/s/2": (1, "carrier-pigeon", "user"), "/s/3": (0, "tty", "greeter")}
    return {(path, f"{LOGIND}.Session", name): value for path, (remote, kind, of_class) in of.items()
            for name, value in (("Remote", ("b", remote)), ("Type", ("s", kind)), ("Class", ("s", of_class)))}


def host_bus(path):
    manager = {(f"/{SYSTEMD.replace('.', '/')}", f"{SYSTEMD}.Manager", name): ("s", value)
               for name, value in (("Version", "252.39-1~deb12u1"), ("Virtualization", "kvm"), ("SystemState", "degraded"))}
    units = [(name, "words", load, active, "sub", "", unit_path(name), 0, "", "/") for name, load, active in UNITS]
    sessions = [("1", 1000, "ann", "seat0", "/s/1"), ("2", 1001, "bob", "", "/s/2"), ("3", 0, "root", "seat0", "/s/3"),
                ("4", 0, "root", "", "/s/gone")]
    methods = {f"{SYSTEMD}.Manager.ListUnits": ("a(ssssssouso)", [units]), f"{LOGIND}.Manager.ListSeats": ("a(so)", [[("seat0", "/seat")]]),
               f"{LOGIND}.Manager.ListSessions": ("a(susso)", [sessions])}
    return Bus(path, methods, {**manager, **unit_properties(), **session_properties()})


class Ntp:
    """Tells this machine's own time, from stratum 2."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.started = int(time.time())
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                packet, client = self.socket.recvfrom(512)
            except OSError:
                return
            now = time.time() + 2208988800
            stamp = struct.pack(">II", int(now), int(now % 1 * 2**32))
            head = struct.pack(">BBbbIII", 0x24, 2, 6, -20, 0x800, 0x1000, 0x7f000001)
            self.socket.sendto(head + struct.pack(">II", self.started + 2208988800 - 60, 0) + packet[40:48] + stamp + stamp, client)

    def close(self):
        self.socket.close()


class Supervisord:
    def __init__(self):
        self.server = SimpleXMLRPCServer(("127.0.0.1", 0), logRequests=False)
        self.server.register_function(self.processes, "supervisor.getAllProcessInfo")
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/RPC2"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @staticmethod
    def processes():
        rows = [("web", "front", 20, 1700000000, 0), ("cron & co", "back", 100, 1600000000, 3), ("slow", "back", 10, 1650000000, 0)]
        return [{"name": name, "group": group, "state": state, "start": start, "exitstatus": status, "stop": 0, "now": 1700000100,
                 "statename": "S", "spawnerr": "", "pid": 7, "logfile": "", "description": "<a> & b"} for name, group, state, start, status in rows]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def runit_services(folder):
    for name, want, state in (("web", b"u", 1), ("cron", b"d", 0), ("batch", b"d", 2)):
        (folder / name / "supervise").mkdir(parents=True)
        (folder / name / "supervise" / "status").write_bytes(struct.pack(">Q4sI", 4611686018427387914 + 1700000000, b"\0" * 4, 17)
                                                             + b"\0" + want + b"\0" + bytes([state]))
    (folder / "cron" / "supervise" / "down").touch()
    os.symlink(folder / "web", folder / "linked")
    return folder
