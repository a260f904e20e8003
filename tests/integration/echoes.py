"""What loki.echo wrote to Weir's log, and OTLP records sent to make entries of."""
import json
import re

from weirproc import http

_FIELD = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*"|\S*)')


def _value(text):
    return json.loads(text) if text.startswith('"') else text


class Echo:
    def __init__(self, line):
        f = {k: _value(v) for k, v in _FIELD.findall(line)}
        self.line, self.labels, self.component = f["entry"], f["labels"], f["component_id"]
        self.time, self.metadata = f["entry_timestamp"], f["structured_metadata"]

    def __repr__(self):
        return f"{self.labels} {self.line}"


def echoes(w):
    """Every entry, in order. Of one stream they are in their order; streams of one batch may change places."""
    whole = w.log.rsplit("\n", 1)[0].splitlines()
    return [Echo(x) for x in whole if 'msg="received log entry"' in x]


def any_value(v):
    if isinstance(v, bool):
        return {"boolValue": v}
    if isinstance(v, int):
        return {"intValue": str(v)}
    if isinstance(v, dict):
        return {"kvlistValue": {"values": attributes(v)}}
    if isinstance(v, list):
        return {"arrayValue": {"values": [any_value(x) for x in v]}}
    return {"stringValue": v}


def attributes(d):
    return [{"key": k, "value": any_value(v)} for k, v in d.items()]


def record(body, time=1_700_000_000_000_000_000, more=None, **attrs):
    return {"timeUnixNano": str(time), "body": any_value(body), "attributes": attributes({k.replace("__", "."): v for k, v in attrs.items()}),
            **(more or {})}


def send_records(port, records, resource=None):
    """OTLP/JSON over HTTP; the answer."""
    request = {"resourceLogs": [{"resource": {"attributes": attributes(resource or {})}, "scopeLogs": [{"logRecords": records}]}]}
    return http("POST", f"http://127.0.0.1:{port}/v1/logs", json.dumps(request).encode(), {"Content-Type": "application/json"})


def source(port, receiver):
    """Configuration: records sent to the port become entries of that receiver."""
    return f'''
otelcol.receiver.otlp "in" {{
  http {{
    endpoint = "127.0.0.1:{port}"
  }}
  output {{
    logs = [otelcol.exporter.loki.in.input]
  }}
}}

otelcol.exporter.loki "in" {{
  forward_to = [{receiver}]
}}

loki.echo "out" {{ }}
'''
