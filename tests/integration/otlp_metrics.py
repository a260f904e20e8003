"""Metrics of OTLP for the tests: requests taken apart without anybody's library, and requests made as JSON.

    decode(body) -> [Metric]      every metric with its resource, scope and points, all fields
    sent(backend)                 those of all requests to /v1/metrics so far
"""
import gzip
import struct
from dataclasses import dataclass, field

from backend import fields, key_value, sub, text

KINDS = {5: "gauge", 7: "sum", 9: "histogram", 10: "exponential", 11: "summary"}
NO_VALUE = 1


@dataclass
class Point:
    attributes: dict = field(default_factory=dict)
    start: int = 0
    time: int = 0
    value: float = None
    count: int = 0
    sum: float = None
    buckets: list = field(default_factory=list)
    bounds: list = field(default_factory=list)
    scale: int = 0
    zero_count: int = 0
    zero_threshold: float = 0.0
    positive: tuple = None  # (offset, counts)
    negative: tuple = None
    quantiles: list = field(default_factory=list)
    exemplars: list = field(default_factory=list)
    flags: int = 0


@dataclass
class Metric:
    name: str
    unit: str
    description: str
    kind: str
    points: list
    resource: dict
    scope: tuple  # (name, version, attributes, URL of the schema)
    metadata: dict
    temporality: int = 0
    monotonic: bool = False

    @property
    def point(self):
        assert len(self.points) == 1, self.points
        return self.points[0]


def double(v):
    return struct.unpack("<d", v)[0]


def fixed(v):
    return int.from_bytes(v, "little")


def signed(v):
    return (v >> 1) ^ -(v & 1)


def packed(v, one):
    return [one(v[i:i + 8]) for i in range(0, len(v), 8)]


def varints(data):
    out, i = [], 0
    while i < len(data):
        v = shift = 0
        while True:
            b = data[i]
            i += 1
            v |= (b & 127) << shift
            shift += 7
            if b < 128:
                break
        out.append(v)
    return out


def buckets(data):
    offset, counts = 0, []
    for n, k, v in fields(data):
        if n == 1:
            offset = signed(v)
        else:
            counts += varints(v) if k == 2 else [v]
    return offset, counts


def exemplar(data):
    e = dict(attributes={}, time=0, value=None, span=b"", trace=b"")
    for n, _, v in fields(data):
        if n == 7:
            e["attributes"].update([key_value(v)])
        elif n == 2:
            e["time"] = fixed(v)
        elif n in (3, 6):
            e["value"] = double(v) if n == 3 else struct.unpack("<q", v)[0]
        else:
            e[{4: "span", 5: "trace"}[n]] = v
    e["span"], e["trace"] = e["span"].hex(), e["trace"].hex()
    return e


def number_point(p, n, k, v):
    if n == 7:
        p.attributes.update([key_value(v)])
    elif n in (4, 6):
        p.value = double(v) if n == 4 else struct.unpack("<q", v)[0]
    elif n == 5:
        p.exemplars.append(exemplar(v))
    else:
        assert n == 8
        p.flags = v


def histogram_point(p, n, k, v):
    if n == 9:
        p.attributes.update([key_value(v)])
    elif n == 4:
        p.count = fixed(v)
    elif n == 5:
        p.sum = double(v)
    elif n == 6:
        p.buckets += packed(v, fixed)
    elif n == 7:
        p.bounds += packed(v, double)
    elif n == 8:
        p.exemplars.append(exemplar(v))
    else:
        assert n == 10
        p.flags = v


def exponential_point(p, n, k, v):
    if n == 1:
        p.attributes.update([key_value(v)])
    elif n == 4:
        p.count = fixed(v)
    elif n == 5:
        p.sum = double(v)
    elif n == 6:
        p.scale = signed(v)
    elif n == 7:
        p.zero_count = fixed(v)
    elif n in (8, 9):
        setattr(p, "positive" if n == 8 else "negative", buckets(v))
    elif n == 10:
        p.flags = v
    elif n == 11:
        p.exemplars.append(exemplar(v))
    else:
        assert n == 14
        p.zero_threshold = double(v)


def summary_point(p, n, k, v):
    if n == 7:
        p.attributes.update([key_value(v)])
    elif n == 4:
        p.count = fixed(v)
    elif n == 5:
        p.sum = double(v)
    elif n == 6:
        q = {1: 0.0, 2: 0.0}
        q.update({number: double(x) for number, _, x in fields(v)})
        p.quantiles.append((q[1], q[2]))
    else:
        assert n == 8
        p.flags = v


POINTS = {"gauge": number_point, "sum": number_point, "histogram": histogram_point, "exponential": exponential_point, "summary": summary_point}


def point(kind, data):
    p = Point()
    for n, k, v in fields(data):
        if n in (2, 3):
            setattr(p, "start" if n == 2 else "time", fixed(v))
        else:
            POINTS[kind](p, n, k, v)
    return p


def metric(data, resource, scope):
    m = Metric(text(data, 1), text(data, 3), text(data, 2), "", [], resource, scope, dict(key_value(kv) for kv in sub(data, 12)))
    for n, _, v in fields(data):
        if n not in KINDS:
            continue
        m.kind = KINDS[n]
        for number, _, x in fields(v):
            if number == 1:
                m.points.append(point(m.kind, x))
            elif number == 2:
                m.temporality = x
            else:
                m.monotonic = bool(x)
    return m


def decode(body):
    out = []
    for rm in sub(body, 1):
        resource = dict(key_value(kv) for r in sub(rm, 1) for kv in sub(r, 1))
        for sm in sub(rm, 2):
            scope = (sub(sm, 1) or [b""])[0]
            shown = (text(scope, 1), text(scope, 2), dict(key_value(kv) for kv in sub(scope, 3)), text(sm, 3))
            out += [metric(m, resource, shown) for m in sub(sm, 2)]
    return out


def sent(backend):
    out = []
    for path, headers, body, _ in list(backend.requests):
        if path == "/v1/metrics":
            out += decode(gzip.decompress(body) if headers.get("Content-Encoding") == "gzip" else body)
    return out


# --- making them, as JSON ---

def attributes(**values):
    def one(v):
        if isinstance(v, bool):
            return {"boolValue": v}
        if isinstance(v, int):
            return {"intValue": str(v)}
        if isinstance(v, float):
            return {"doubleValue": v}
        if isinstance(v, list):
            return {"arrayValue": {"values": [one(x) for x in v]}}
        return {"stringValue": v}

    return [{"key": k.replace("__", "."), "value": one(v)} for k, v in values.items()]


def request(metrics, resource=None, scope=None):
    return {"resourceMetrics": [{"resource": {"attributes": attributes(**(resource or {}))},
                                 "scopeMetrics": [{"scope": scope or {}, "metrics": metrics}]}]}
