"""Peers that a test fetches for itself: Python and JavaScript SDKs, a Collector built from Go modules. They are kept in a cache folder between
runs; what cannot be fetched or built makes the test a skipped one, by name."""
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

CACHE = pathlib.Path(os.environ.get("WEIR_TEST_CACHE", pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "weir-tests"))
COLLECTOR_VERSION = "0.158.0"
PROVIDER_VERSION = "1.64.0"

BUILDER = f"""
dist:
  name: otelcol-weir-test
  description: a Collector for Weir's tests
  output_path: {{out}}
  version: {COLLECTOR_VERSION}
receivers:
  - gomod: go.opentelemetry.io/collector/receiver/otlpreceiver v{COLLECTOR_VERSION}
processors:
  - gomod: go.opentelemetry.io/collector/processor/batchprocessor v{COLLECTOR_VERSION}
  - gomod: github.com/open-telemetry/opentelemetry-collector-contrib/processor/attributesprocessor v{COLLECTOR_VERSION}
exporters:
  - gomod: go.opentelemetry.io/collector/exporter/otlpexporter v{COLLECTOR_VERSION}
  - gomod: go.opentelemetry.io/collector/exporter/otlphttpexporter v{COLLECTOR_VERSION}
  - gomod: go.opentelemetry.io/collector/exporter/debugexporter v{COLLECTOR_VERSION}
  - gomod: github.com/open-telemetry/opentelemetry-collector-contrib/exporter/fileexporter v{COLLECTOR_VERSION}
providers:
  - gomod: go.opentelemetry.io/collector/confmap/provider/envprovider v{PROVIDER_VERSION}
  - gomod: go.opentelemetry.io/collector/confmap/provider/fileprovider v{PROVIDER_VERSION}
"""


def attempt(what, argv, **kw):
    """Runs it; a failure skips the test and says what was missing."""
    try:
        r = subprocess.run(argv, capture_output=True, text=True, timeout=kw.pop("timeout", 600), **kw)
    except (OSError, subprocess.TimeoutExpired) as e:
        pytest.skip(f"{what} is not available: {e}")
    if r.returncode != 0:
        pytest.skip(f"{what} is not available: {(r.stderr or r.stdout).strip().splitlines()[-1:]}")
    return r


def python_sdk():
    """A Python interpreter that has the OpenTelemetry SDK with both OTLP exporters."""
    home = CACHE / f"python-sdk-{sys.version_info.major}.{sys.version_info.minor}"
    python = home / "bin" / "python"
    if not (home / "complete").exists():
        shutil.rmtree(home, ignore_errors=True)
        attempt("python3 -m venv", [sys.executable, "-m", "venv", str(home)])
        attempt("the OpenTelemetry SDK from PyPI", [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", "opentelemetry-sdk",
                                                   "opentelemetry-exporter-otlp-proto-grpc", "opentelemetry-exporter-otlp-proto-http"])
        (home / "complete").touch()
    return str(python)


def node_sdk():
    """A folder with the JavaScript SDK and its HTTP/JSON exporter."""
    home = CACHE / "node-sdk"
    if not shutil.which("npm"):
        pytest.skip("npm is not installed")
    if not (home / "complete").exists():
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        (home / "package.json").write_text('{"private": true}')
        attempt("the OpenTelemetry SDK from npm", ["npm", "install", "--silent", "--no-audit", "--no-fund", "@opentelemetry/sdk-trace-base",
                                                  "@opentelemetry/exporter-trace-otlp-http", "@opentelemetry/resources"], cwd=home)
        (home / "complete").touch()
    return home


def collector():
    """An OpenTelemetry Collector binary."""
    home = CACHE / f"otelcol-{COLLECTOR_VERSION}"
    binary = home / "src" / "otelcol-weir-test"
    if not binary.exists():
        if not shutil.which("go"):
            pytest.skip("Go is not installed: no Collector")
        home.mkdir(parents=True, exist_ok=True)
        (home / "builder.yaml").write_text(BUILDER.format(out=home / "src"))
        attempt("the Collector from Go modules", ["go", "run", f"go.opentelemetry.io/collector/cmd/builder@v{COLLECTOR_VERSION}", "--config",
                                                 str(home / "builder.yaml")], timeout=900)
    return str(binary)
