"""A remote write receiver in plain Python: takes POST /api/v1/write in 1.0 and 2.0, undoes snappy and protobuf by itself (nothing of Weir's code, no
library), keeps every sample in the order of arrival, and misbehaves on command (the listening half is that of loki_backend.Loki).

    prom.samples(name, job="a"), prom.values(name, job="a"), prom.series()      what was accepted: floats
    prom.histograms(name), prom.exemplars(name)                                  the rest of it
    prom.metadata()                                                             by family (1.0), by the name of the series (2.0)
    prom.count(), prom.wait(n), prom.wait_for(lambda: ...)                      floats so far; until something is there
    prom.requests                                                               every request, with its answer
    prom.respond = Answer(503), Answer(hang=True), Answer(cut=True), or f(number, headers) -> Answer
    prom.down(), prom.up()                                                      the port closed with all its connections, and open again

A request that is accepted in 2.0 is answered with the numbers that were written, unless the Answer says them itself. What a receiver may refuse
(labels out of order or twice, symbols twice, unknown fields, ...) is a fault here.

For senders: encode_v1, encode_v2 (of Series), snappy.
"""
import struct
import time
from dataclasses import dataclass, field, replace

from loki_backend import Answer, Loki, fields, put_bytes, put_varint, signed, snappy, text, unsnappy, varint

V1 = "application/x-protobuf"
V2 = "application/x-protobuf;proto=io.prometheus.write.v2.Request"
STALE = 0x7FF0000000000002
TYPES = ["unknown", "counter", "gauge", "histogram", "gaugehistogram", "summary", "info", "stateset"]


@dataclass
class Sample:
    """A float. bits tells the NaNs apart; stale: it is the staleness marker."""
    __slots__ = ("labels", "time", "value", "bits", "request", "start")
    labels: tuple  # of pairs, as sent
    time: int
    value: float
    bits: int
    request: int
    start: int

    @property
    def name(self):
        return dict(self.labels).get("__name__", "")

    @property
    def stale(self):
        return self.bits == STALE

    def __repr__(self):
        return f"<{show(self.labels)} {self.time} {'stale' if self.stale else self.value}>"


@dataclass
class Exemplar:
    of: tuple  # labels of its series
    labels: tuple
    value: float
    time: int
    request: int = 0


@dataclass
class Histogram:
    labels: tuple
    time: int = 0
    count: float = 0  # an int when the histogram has integers
    sum: float = 0
    schema: int = 0
    zero_threshold: float = 0
    zero_count: float = 0
    negative_spans: list = field(default_factory=list)  # (offset, length)
    negative: list = field(default_factory=list)  # deltas (ints) or counts (floats)
    positive_spans: list = field(default_factory=list)
    positive: list = field(default_factory=list)
    reset_hint: int = 0
    custom: list = field(default_factory=list)
    start: int = 0
    sum_bits: int = 0
    request: int = 0


@dataclass
class Metadata:
    type: str = "unknown"
    help: str = ""
    unit: str = ""


def show(labels):
    return "{" + ", ".join(f'{k}="{v}"' for k, v in labels) + "}"


# --- reading ---

def f64(data, at):
    return struct.unpack("<d", data[at[0]:at[1]])[0]


def bits(data, at):
    return int.from_bytes(data[at[0]:at[1]], "little")


def zigzag(v):
    return (v >> 1) ^ -(v & 1)


def int32(v):
    v = zigzag(v)
    assert -(1 << 31) <= v < 1 << 31
    return v


def numbers(data, kind, v, one):
    """The values of a repeated number field, packed or not."""
    if kind == 0:
        return [one(v)]
    out, i = [], v[0]
    while i < v[1]:
        n, i = varint(data, i)
        out.append(one(n))
    assert i == v[1]
    return out


def doubles(data, kind, v):
    assert (v[1] - v[0]) % 8 == 0
    return list(struct.unpack(f"<{(v[1] - v[0]) // 8}d", data[v[0]:v[1]]))


def pair(data, at):
    out = ["", ""]
    for n, k, v in fields(data, *at):
        assert k == 2 and n in (1, 2), f"field {n} of a Label"
        out[n - 1] = data[v[0]:v[1]].decode("utf-8")
    return tuple(out)


def judged(labels, what):
    names = [k for k, _ in labels]
    assert names == sorted(names, key=lambda s: s.encode()), f"labels of a {what} out of order: {labels}"
    assert len(set(names)) == len(names), f"a label of a {what} twice: {labels}"
    assert all(k and v for k, v in labels), f"an empty name or value in a {what}: {labels}"
    return tuple(labels)


class Symbols:
    """The symbol table of a 2.0 request; knows which were used, and whether in order."""

    def __init__(self):
        self.all, self.next = [], 1

    def check(self):
        assert self.all and self.all[0] == "", "the first symbol is not empty"
        assert len(set(self.all)) == len(self.all), "a symbol is there twice"

    def get(self, ref):
        assert ref < len(self.all), f"reference {ref} of {len(self.all)} symbols"
        assert ref <= self.next, f"symbol {ref} is used before {self.next}: not in order of first use"
        self.next += ref == self.next
        return self.all[ref]

    def pairs(self, refs):
        assert len(refs) % 2 == 0, "an odd number of label references"
        return [(self.get(refs[i]), self.get(refs[i + 1])) for i in range(0, len(refs), 2)]


def decode_sample(data, at, labels, request, v2):
    s = Sample(labels, 0, 0.0, 0, request, 0)
    for n, k, v in fields(data, *at):
        assert (n, k) in ((1, 1), (2, 0)) or v2 and (n, k) == (3, 0), f"field {n} of a Sample"
        if n == 1:
            s.value, s.bits = f64(data, v), bits(data, v)
        elif n == 2:
            s.time = signed(v)
        else:
            s.start = signed(v)
    return s


def decode_exemplar(data, at, labels, request, symbols):
    e, refs, own = Exemplar(labels, (), 0.0, 0, request), [], []
    for n, k, v in fields(data, *at):
        if n == 1 and symbols:
            refs += numbers(data, k, v, int)
        elif n == 1:
            own.append(pair(data, v))
        elif n == 2:
            e.value = f64(data, v)
        else:
            assert (n, k) == (3, 0), f"field {n} of an Exemplar"
            e.time = signed(v)
    e.labels = judged(symbols.pairs(refs) if symbols else own, "exemplar")
    return e


def decode_span(data, at):
    out = [0, 0]
    for n, k, v in fields(data, *at):
        assert k == 0 and n in (1, 2), f"field {n} of a BucketSpan"
        out[n - 1] = int32(v) if n == 1 else v
    return tuple(out)


def decode_histogram(data, at, labels, request, v2):
    h = Histogram(labels, request=request)
    counts = {1: "count", 2: "count", 6: "zero_count", 7: "zero_count"}
    for n, k, v in fields(data, *at):
        if n in counts:
            assert k == (0 if n in (1, 6) else 1)
            setattr(h, counts[n], v if k == 0 else f64(data, v))
        elif n == 3:
            h.sum, h.sum_bits = f64(data, v), bits(data, v)
        elif n == 4:
            h.schema = int32(v)
        elif n == 5:
            h.zero_threshold = f64(data, v)
        elif n in (8, 11):
            (h.negative_spans if n == 8 else h.positive_spans).append(decode_span(data, v))
        elif n in (9, 12):
            (h.negative if n == 9 else h.positive).extend(numbers(data, k, v, zigzag))
        elif n in (10, 13):
            (h.negative if n == 10 else h.positive).extend(doubles(data, k, v))
        elif n == 14:
            h.reset_hint = v
        elif n == 15:
            h.time = signed(v)
        elif n == 16:
            assert v2, "custom values in a 1.0 histogram"
            h.custom += doubles(data, k, v)
        else:
            assert (n, k) == (17, 0) and v2, f"field {n} of a Histogram"
            h.start = signed(v)
    for spans, buckets in ((h.negative_spans, h.negative), (h.positive_spans, h.positive)):
        assert sum(length for _, length in spans) == len(buckets), "spans and buckets do not agree"
    return h


def decode_metadata_v1(data, at):
    family, m = "", Metadata()
    for n, k, v in fields(data, *at):
        assert n in (1, 2, 4, 5) and k == (0 if n == 1 else 2), f"field {n} of a MetricMetadata"
        if n == 1:
            m.type = TYPES[v]
        elif n == 2:
            family = text(data, v)
        elif n == 4:
            m.help = text(data, v)
        else:
            m.unit = text(data, v)
    return family, m


def decode_metadata_v2(data, at, symbols):
    m = Metadata()
    for n, k, v in fields(data, *at):
        assert n in (1, 3, 4) and k == 0, f"field {n} of a Metadata"
        if n == 1:
            m.type = TYPES[v]
        elif n == 3:
            m.help = symbols.get(v)
        else:
            m.unit = symbols.get(v)
    return m


@dataclass
class Decoded:
    samples: list = field(default_factory=list)
    histograms: list = field(default_factory=list)
    exemplars: list = field(default_factory=list)
    metadata: dict = field(default_factory=dict)
    series: int = 0  # TimeSeries messages


def decode_series(data, at, out, request, symbols):
    """One TimeSeries; symbols: 2.0."""
    where = {2: "s", 3: "h", 4: "e"} if symbols else {2: "s", 3: "e", 4: "h"}
    refs, own, parts, meta = [], [], {"s": [], "h": [], "e": []}, None
    for n, k, v in fields(data, *at):
        if n == 1 and symbols:
            refs += numbers(data, k, v, int)
        elif n == 1:
            own.append(pair(data, v))
        elif n in where:
            assert k == 2
            parts[where[n]].append(v)
        else:
            assert symbols and (n, k) == (5, 2), f"field {n} of a TimeSeries"
            meta = v
    labels = judged(symbols.pairs(refs) if symbols else own, "series")
    assert "__name__" in dict(labels), f"a series without a name: {labels}"
    assert not (parts["s"] and parts["h"]), "floats and histograms in one TimeSeries"
    out.series += 1
    out.samples += [decode_sample(data, v, labels, request, bool(symbols)) for v in parts["s"]]
    out.histograms += [decode_histogram(data, v, labels, request, bool(symbols)) for v in parts["h"]]
    out.exemplars += [decode_exemplar(data, v, labels, request, symbols) for v in parts["e"]]
    if symbols:
        assert meta is not None, "a TimeSeries of 2.0 without metadata"
        m = decode_metadata_v2(data, meta, symbols)
        if m != Metadata():
            out.metadata[dict(labels)["__name__"]] = m


def decode_v1(data, request=0):
    out = Decoded()
    for n, k, v in fields(data):
        assert k == 2 and n in (1, 3), f"field {n} of a WriteRequest"
        if n == 1:
            decode_series(data, v, out, request, None)
        else:
            family, m = decode_metadata_v1(data, v)
            assert family, "metadata without a family"
            out.metadata[family] = m
    return out


def decode_v2(data, request=0):
    out, symbols, series = Decoded(), Symbols(), []
    for n, k, v in fields(data):
        assert k == 2 and n in (4, 5), f"field {n} of a Request"
        if n == 4:
            symbols.all.append(data[v[0]:v[1]].decode("utf-8"))
        else:
            series.append(v)
    symbols.check()
    for at in series:
        decode_series(data, at, out, request, symbols)
    assert symbols.next >= len(symbols.all), "symbols that nobody uses"
    return out


# --- the endpoint ---

class Prometheus(Loki):
    def __init__(self, port=0, tls=None, path="/api/v1/write"):
        self.kept = Decoded()
        super().__init__(port, tls, path)

    def answer_to(self, request):
        """The numbers a 2.0 sender wants to see."""
        if not request.accepted or request.headers.get("Content-Type") != V2 or request.answer.headers:
            return request.answer
        try:
            d = decode_v2(unsnappy(request.body), request.number)
        except Exception:
            return request.answer  # told as a fault when somebody looks
        return replace(request.answer, headers={
            "X-Prometheus-Remote-Write-Samples-Written": str(len(d.samples)),
            "X-Prometheus-Remote-Write-Histograms-Written": str(len(d.histograms)),
            "X-Prometheus-Remote-Write-Exemplars-Written": str(len(d.exemplars))})

    def _decode_one(self, r):
        try:
            h = r.headers
            assert h.get("Content-Encoding") == "snappy", f"Content-Encoding {h.get('Content-Encoding')}"
            kind, version = h.get("Content-Type", ""), h.get("X-Prometheus-Remote-Write-Version", "")
            assert (kind, version) in ((V1, "0.1.0"), (V2, "2.0.0")), f"Content-Type {kind} with version {version}"
            d = (decode_v2 if kind == V2 else decode_v1)(unsnappy(r.body), r.number)
            for name in ("samples", "histograms", "exemplars"):
                getattr(self.kept, name).extend(getattr(d, name))
            self.kept.metadata.update(d.metadata)
            self.kept.series += d.series
        except Exception as e:  # looked at below
            self.faults.append(f"request {r.number}: {e!r}")
        r.body = b""

    def decoded(self):
        self._decode()
        assert not self.faults, self.faults
        return self.kept

    @staticmethod
    def _chosen(items, labels_of, name, labels):
        wanted = dict(labels, **({"__name__": name} if name else {})).items()
        return [i for i in items if not wanted or wanted <= dict(labels_of(i)).items()]

    def samples(self, name=None, **labels):
        return self._chosen(self.decoded().samples, lambda s: s.labels, name, labels)

    def values(self, name=None, **labels):
        return [s.value for s in self.samples(name, **labels)]

    def histograms(self, name=None, **labels):
        return self._chosen(self.decoded().histograms, lambda s: s.labels, name, labels)

    def exemplars(self, name=None, **labels):
        return self._chosen(self.decoded().exemplars, lambda s: s.of, name, labels)

    def metadata(self):
        return self.decoded().metadata

    def series(self):
        """{labels: samples in order}, labels as a tuple of pairs"""
        out = {}
        for s in self.decoded().samples:
            out.setdefault(s.labels, []).append(s)
        return out

    def count(self):
        return len(self.decoded().samples)

    def wait_for(self, condition, timeout=60, what="what was awaited"):
        end = time.monotonic() + timeout
        while True:
            got = condition()
            if got:
                return got
            left = end - time.monotonic()
            assert left > 0, f"{what} did not arrive in {timeout} s: {self.count()} samples in {len(self.requests)} requests"
            with self.lock:
                if self._decoded >= len(self.requests):
                    self.lock.wait(min(left, 0.5))

    def wait(self, n, timeout=60):
        """Until n floats are there (or more)."""
        self.wait_for(lambda: self.count() >= n, timeout, f"{n} samples")

    def forget(self):
        super().forget()
        self.kept = Decoded()


# --- writing, for senders ---

@dataclass
class Series:
    """What a sender of the tests sends: floats [(time, value or bits)], histograms [Histogram], exemplars [Exemplar]; labels in the order given."""
    labels: object  # dict or list of pairs
    floats: list = field(default_factory=list)
    histograms: list = field(default_factory=list)
    exemplars: list = field(default_factory=list)
    meta: Metadata = None

    def pairs(self):
        return list(self.labels.items()) if isinstance(self.labels, dict) else list(self.labels)


def put_number(number, v):
    return put_varint(number << 3) + put_varint(v & (1 << 64) - 1)


def put_double(number, v):
    return put_varint(number << 3 | 1) + (v.to_bytes(8, "little") if isinstance(v, int) and v > 1 << 40 else struct.pack("<d", v))


def put_zigzag(v):
    return v << 1 if v >= 0 else (-v << 1) - 1


def put_sample(s):
    return put_double(1, s[1]) + put_number(2, s[0])


def put_histogram(h):
    whole = isinstance(h.count, int)
    out = (put_number(1, h.count) if whole else put_double(2, h.count)) + put_double(3, h.sum) + put_number(4, put_zigzag(h.schema))
    out += put_double(5, h.zero_threshold) + (put_number(6, h.zero_count) if whole else put_double(7, h.zero_count))
    for spans, buckets, first in ((h.negative_spans, h.negative, 8), (h.positive_spans, h.positive, 11)):
        for offset, length in spans:
            out += put_bytes(first, put_number(1, put_zigzag(offset)) + put_number(2, length))
        if whole and buckets:
            out += put_bytes(first + 1, b"".join(put_varint(put_zigzag(b)) for b in buckets))
        elif buckets:
            out += put_bytes(first + 2, struct.pack(f"<{len(buckets)}d", *buckets))
    out += put_number(14, h.reset_hint) + put_number(15, h.time)
    if h.custom:
        out += put_bytes(16, struct.pack(f"<{len(h.custom)}d", *h.custom))
    return out + (put_number(17, h.start) if h.start else b"")


def put_label(k, v):
    return put_bytes(1, put_bytes(1, k if isinstance(k, bytes) else k.encode()) + put_bytes(2, v if isinstance(v, bytes) else v.encode()))


def encode_v1(series, metadata=None):
    """The WriteRequest with these Series, metadata {family: Metadata}."""
    out = b""
    for s in series:
        body = b"".join(put_label(k, v) for k, v in s.pairs())
        body += b"".join(put_bytes(2, put_sample(f)) for f in s.floats)
        body += b"".join(put_bytes(3, b"".join(put_label(k, v) for k, v in e.labels) + put_double(2, e.value) + put_number(3, e.time))
                         for e in s.exemplars)
        body += b"".join(put_bytes(4, put_histogram(h)) for h in s.histograms)
        out += put_bytes(1, body)
    for family, m in (metadata or {}).items():
        out += put_bytes(3, put_number(1, TYPES.index(m.type)) + put_bytes(2, family.encode()) + put_bytes(4, m.help.encode())
                         + put_bytes(5, m.unit.encode()))
    return out


def encode_v2(series):
    """The 2.0 Request with these Series; meta of each goes with it."""
    symbols = {"": 0}

    def ref(s):
        return symbols.setdefault(s, len(symbols))

    def refs(pairs):
        return put_bytes(1, b"".join(put_varint(ref(x)) for p in pairs for x in p))

    out = b""
    for s in series:
        m = s.meta or Metadata()
        body = refs(s.pairs())
        body += b"".join(put_bytes(2, put_sample(f)) for f in s.floats)
        body += b"".join(put_bytes(3, put_histogram(h)) for h in s.histograms)
        body += b"".join(put_bytes(4, refs(e.labels) + put_double(2, e.value) + put_number(3, e.time)) for e in s.exemplars)
        body += put_bytes(5, put_number(1, TYPES.index(m.type)) + put_number(3, ref(m.help)) + put_number(4, ref(m.unit)))
        out += put_bytes(5, body)
    return b"".join(put_bytes(4, s.encode()) for s in symbols) + out


__all__ = ["Answer", "Decoded", "Exemplar", "Histogram", "Metadata", "Prometheus", "STALE", "Sample", "Series", "V1", "V2", "decode_v1", "decode_v2",
           "encode_v1", "encode_v2", "show", "snappy", "unsnappy"]
