#!/usr/bin/env python3
"""reference.py FACTS.json > components/reference.json

Cuts the facts about Alloy's components (names, types, defaults, required, allowed values, constraints, names of self metrics; one
JSON object by component name) down to what the build keeps: one component a line. FACTS.json is not part of the repository. Summaries are
ours: they are kept from the file that is there. scripts/foreign.py makes tables of it at build time; the registry test
compares the tables of components that have code with it.

Constraints are sentences in the facts; RULES says in what machine-readable form those are kept that can be judged without
running. `[kind, names...]`: kinds are those of value/schema.h."""
import json, re, sys

KEPT = "components/reference.json"

# What capsules are called in a configuration's types.
CAPSULES = {"LogsReceiver": "loki.LogsReceiver", "MetricsReceiver": "prometheus.MetricsReceiver",
            "ProfilesReceiver": "pyroscope.ProfilesReceiver"}
PROXY = [["requires", "no_proxy", "proxy_url"], ["at_most_one", "proxy_from_environment", "proxy_url"],
         ["at_most_one", "proxy_from_environment", "no_proxy"],
         ["requires", "proxy_connect_header", "proxy_url", "proxy_from_environment"]]
AUTH = ["basic_auth", "authorization", "oauth2", "bearer_token", "bearer_token_file"]
OLD_FILTER, NEW_FILTER = ("traces", "metrics", "logs"), ("trace_conditions", "metric_conditions", "log_conditions")
RULES = {
    "ca_pem/ca_file exclusive": [["at_most_one", "ca_pem", "ca_file"]],
    "cert_pem/cert_file exclusive": [["at_most_one", "cert_pem", "cert_file"]],
    "key_pem/key_file exclusive": [["at_most_one", "key_pem", "key_file"]],
    "client cert and key go together": [["requires", "cert_pem", "key_pem", "key_file"], ["requires", "cert_file", "key_pem", "key_file"],
                                        ["requires", "key_pem", "cert_pem", "cert_file"], ["requires", "key_file", "cert_pem", "cert_file"]],
    "password/password_file exclusive": [["at_most_one", "password", "password_file"]],
    "credentials/credentials_file exclusive": [["at_most_one", "credentials", "credentials_file"]],
    "client_id and token_url must be set although tagged optional": [["at_least_one", "client_id"], ["at_least_one", "token_url"]],
    "exactly one of client_secret, client_secret_file": [["exactly_one", "client_secret", "client_secret_file"]],
    "at most one of basic_auth, authorization, oauth2, bearer_token, bearer_token_file": [["at_most_one", *AUTH]],
    "no_proxy needs proxy_url; proxy_from_environment excludes proxy_url and no_proxy; proxy_connect_header needs one of "
    "proxy_url, proxy_from_environment": PROXY,
    "at most one of sigv4, azuread, google_iam and the HTTP client auth methods": [["at_most_one", "sigv4", "azuread", "google_iam", *AUTH]],
    "exactly one of exponential, explicit": [["exactly_one", "exponential", "explicit"]],
    "access_key and secret_key go together": [["requires", "access_key", "secret_key"], ["requires", "secret_key", "access_key"]],
    "external_id needs role_arn": [["requires", "external_id", "role_arn"]],
    "exactly one of managed_identity, workload_identity, oauth, sdk; client_id values are UUIDs":
        [["exactly_one", "managed_identity", "workload_identity", "oauth", "sdk"]],
    "traces, metrics, logs exclude trace_conditions, metric_conditions, log_conditions":
        [["at_most_one", old, new] for old in OLD_FILTER for new in NEW_FILTER],
    # Bounds: the least value that is allowed.
    "refresh_interval > 0": [["min", "refresh_interval", "1ns"]],
    "metrics_flush_interval > 0": [["min", "metrics_flush_interval", "1ns"]],
    "decision_wait >= 1ms, num_traces > 0": [["min", "decision_wait", "1ms"], ["min", "num_traces", 1]],
    "poll_frequency > 0, poll_timeout > 0": [["min", "poll_frequency", "1ns"], ["min", "poll_timeout", "1ns"]],
    "poll_frequency > 0, 0 < poll_timeout < poll_frequency": [["min", "poll_frequency", "1ns"], ["min", "poll_timeout", "1ns"]],
}
# Upper and lower case are the same among the allowed values of these.
FOLD = {"type is case-insensitive": "type", "context is case-insensitive": "context"}
# Documented lists that are examples rather than a limit.
OPEN = {"encoding", "exports", "instrumentations", "context_propagation", "hostname_source"}


def type_name(t):
    return re.sub(r"\b[A-Z]\w+Receiver\b", lambda m: CAPSULES[m[0]], t)


def argument(a, folded):
    kept = {"name": a["name"], "type": type_name(a["type"])}
    kept |= {k: a[k] for k in ("default", "object_fields", "stability") if k in a}
    for flag in ("required", "deprecated"):
        if a.get(flag):
            kept[flag] = True
    if "enum" in a and not (a.get("enum_from") == "docs" and a["name"] in OPEN):
        kept["enum"] = a["enum"]
        if a["name"] in folded:
            kept["fold_case"] = True
    if a.get("format") == "bytesize":
        kept["bytesize"] = True
    if a.get("accepts_plain_string") or a.get("optional_secret"):
        kept["optional_secret"] = True
    if a.get("default_expr"):
        kept["computed"] = True
    if str(a.get("default_from", "")).endswith("applied late"):
        kept["late"] = True  # the schema may say the effective default or none
    return kept


def body(x):
    """Arguments and rules of a component or block. What the decoder does not take (documented, not in the source) is left out."""
    sentences = x.get("constraints", [])
    sentences = [sentences] if isinstance(sentences, str) else sentences
    folded = {FOLD[s] for s in sentences if s in FOLD}
    kept = {"arguments": [argument(a, folded) for a in x["arguments"] if a.get("in_source") is not False]}
    rules = [r for s in sentences for r in RULES.get(s, [])]
    return kept | ({"rules": rules} if rules else {})


def block(b):
    kept = {k: b[k] for k in ("path", "required", "repeatable", "labels", "ordered_group", "recursive", "freeform", "deprecated")
            if b.get(k)}
    if b.get("if_omitted") == "absent":
        kept["absent"] = True
    return kept | body(b)


def component(c, summary):
    kept = {"summary": summary, "stability": c["stability"], "community": c["community"]}
    if c.get("removed"):
        kept["removed"] = True
    if c.get("debug_metrics"):
        kept["metrics"] = [m["name"] for m in c["debug_metrics"]]
    return kept | body(c) | {
        "blocks": [block(b) for b in c["blocks"]],
        "exports": [{"name": e["name"], "type": type_name(e["type"])} | ({"optional_secret": True} if e.get("optional_secret") else {}) for e in c["exports"]]}


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        facts = json.load(f)
    with open(KEPT, encoding="utf-8") as f:
        summaries = {n: c.get("summary", "") for n, c in json.load(f).items()}
    out = ",\n".join(f"{json.dumps(n)}: " + json.dumps(component(c, summaries.get(n, "")), separators=(",", ":"))
                     for n, c in sorted(facts.items()))
    sys.stdout.write("{\n" + out + "\n}\n")


main()
