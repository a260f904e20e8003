"""Configurations the tests share."""


def pipeline(http_port, endpoint, grpc_port=None, signals=("traces",), batch='timeout = "100ms"', actions=None, exporter="", client="",
             compression="gzip", receiver_http="", kind="otlphttp", receiver_grpc=""):
    """receiver -> batch -> attributes -> exporter, as the seed has it."""
    if actions is None:
        actions = [("cluster.name", "rancher-cluster"), ("environment", "development")]
    grpc = f'grpc {{\n    endpoint = "127.0.0.1:{grpc_port}"\n    {receiver_grpc}\n  }}' if grpc_port else ""

    def output(target):
        return "output {\n" + "".join(f"    {s} = [{target}]\n" for s in signals) + "  }"

    acts = "".join(f'  action {{\n    key = "{k}"\n    value = "{v}"\n    action = "upsert"\n  }}\n' for k, v in actions)
    return f'''
otelcol.receiver.otlp "default" {{
  {grpc}
  http {{
    endpoint = "127.0.0.1:{http_port}"
    {receiver_http}
  }}
  {output("otelcol.processor.batch.default.input")}
}}

otelcol.processor.batch "default" {{
  {batch}
  {output("otelcol.processor.attributes.default.input")}
}}

otelcol.processor.attributes "default" {{
{acts}
  {output(f"otelcol.exporter.{kind}.default.input")}
}}

otelcol.exporter.{kind} "default" {{
  {exporter}
  client {{
    endpoint    = "{endpoint}"
    compression = "{compression}"
    {client}
    tls {{
      insecure = true
    }}
  }}
}}
'''


def direct(port, endpoint, receiver="", exporter="", client="", protocol="http", kind="otlphttp", names=("in", "out")):
    """receiver -> exporter, traces only. receiver, exporter, client: what those blocks hold besides the endpoint."""
    source, target = names
    return f'''
otelcol.receiver.otlp "{source}" {{
  {protocol} {{
    endpoint = "127.0.0.1:{port}"
    {receiver}
  }}
  output {{
    traces = [otelcol.exporter.{kind}.{target}.input]
  }}
}}

otelcol.exporter.{kind} "{target}" {{
  {exporter}
  client {{
    endpoint = "{endpoint}"
    {client}
  }}
}}
'''


FAST_RETRY = '''retry_on_failure {
    initial_interval     = "100ms"
    max_interval         = "500ms"
    randomization_factor = 0
  }'''
